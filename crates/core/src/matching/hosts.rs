//! Conditions on the host.

mod globs;

use super::texts::Texts;
use crate::wire::host::Host;
pub(crate) use globs::Globs;

/// A set of hosts and wildcards.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostSet {
    exact: Texts,
    /// `*.example.com` as `.example.com`.
    suffix: Texts,
    /// Bytes of the longest of them.
    longest_suffix: usize,
    /// Of few hosts with stars, each is tried.
    has_few_globs: bool,
    globs: Option<Box<Globs>>,
    /// `*`
    any: bool,
    /// In the order written; for the index and for people.
    written: Vec<HostPattern>,
    /// Whether these are the hosts of a `service`, `name.namespace` first.
    is_service: bool,
}

/// One host as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// One host: lower case, no port, no trailing dot.
    Exact(Box<[u8]>),
    /// Every host below a domain. The domain is kept with its leading dot.
    Suffix(Box<[u8]>),
    /// Hosts with `*` inside a label, at most one in each.
    Glob(Box<[u8]>),
    /// `*`
    Any,
}

impl HostPattern {
    /// Whether a host with stars covers a name.
    fn covers(&self, name: &[u8]) -> bool {
        matches!(self, Self::Glob(glob) if globs::covers(glob, name))
    }
}

fn has_few_globs(patterns: &[HostPattern]) -> bool {
    (1..=FEW).contains(&patterns.iter().filter(|pattern| matches!(pattern, HostPattern::Glob(_))).count())
}

/// So few hosts with stars are tried one by one.
const FEW: usize = 8;

impl HostSet {
    pub(crate) fn new(patterns: Vec<HostPattern>) -> Self {
        let mut set = Self { has_few_globs: has_few_globs(&patterns), ..Self::default() };
        for pattern in &patterns {
            match pattern {
                HostPattern::Exact(name) => set.exact.insert(name.clone()),
                HostPattern::Suffix(name) => {
                    set.longest_suffix = set.longest_suffix.max(name.len());
                    set.suffix.insert(name.clone());
                }
                HostPattern::Glob(_) if set.has_few_globs => {}
                HostPattern::Glob(glob) => {
                    set.globs.get_or_insert_default().insert(glob, 0);
                }
                HostPattern::Any => set.any = true,
            }
        }
        set.written = patterns;
        set
    }

    /// Bytes that it takes at most.
    pub(crate) fn weight(&self) -> usize {
        let text = |pattern: &HostPattern| match pattern {
            HostPattern::Any => 0,
            HostPattern::Glob(name) if !self.has_few_globs => name.len().saturating_add(Globs::weight(name)),
            HostPattern::Exact(name) | HostPattern::Suffix(name) | HostPattern::Glob(name) => {
                name.len().saturating_mul(2)
            }
        };
        let one = |pattern| text(pattern).saturating_add(64);
        self.written.iter().map(one).fold(96, usize::saturating_add)
    }

    /// The hosts of a service: `name.namespace` first, and its other forms.
    pub(crate) fn of_service(forms: Vec<HostPattern>) -> Self {
        Self { is_service: true, ..Self::new(forms) }
    }

    /// The service whose hosts these are, if they are a service's: its `name.namespace`.
    pub(crate) fn service(&self) -> Option<&[u8]> {
        match self.written.first() {
            Some(HostPattern::Exact(name)) if self.is_service => Some(name),
            _ => None,
        }
    }

    pub(crate) fn contains(&self, host: &Host<'_>) -> bool {
        self.exact.contains(host.name())
            || (!self.suffix.is_empty()
                && host.parents(self.longest_suffix).any(|parent| self.suffix.contains(parent)))
            || (self.has_few_globs && self.written.iter().any(|pattern| pattern.covers(host.name())))
            || self.globs.as_ref().is_some_and(|globs| {
                let mut is_found = false;
                globs.find(host.name(), &mut |_| is_found = true);
                is_found
            })
            || self.any
    }

    /// Whether the decision needs the host. It does not where `*` takes all hosts.
    pub(crate) fn asks_for_names(&self) -> bool {
        !self.any && !self.written.is_empty()
    }

    pub(crate) fn patterns(&self) -> &[HostPattern] {
        &self.written
    }
}
