//! Conditions on the host.

use std::collections::HashSet;

use xxhash_rust::xxh64::Xxh64Builder;

use crate::request::Host;

/// A set of hosts and wildcards.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostSet {
    exact: HashSet<Box<[u8]>, Xxh64Builder>,
    /// `*.example.com` as `.example.com`.
    suffix: HashSet<Box<[u8]>, Xxh64Builder>,
    /// `*`
    any: bool,
    /// In the order written, for the index and for people.
    written: Vec<HostPattern>,
}

/// One host as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// One host: lower case, no port, no trailing dot.
    Exact(Box<[u8]>),
    /// Every host below a domain, which is kept with its leading dot.
    Suffix(Box<[u8]>),
    /// `*`
    Any,
}

impl HostSet {
    pub(crate) fn new(patterns: Vec<HostPattern>) -> Self {
        let mut set = Self::default();
        for pattern in &patterns {
            match pattern {
                HostPattern::Exact(name) => _ = set.exact.insert(name.clone()),
                HostPattern::Suffix(name) => _ = set.suffix.insert(name.clone()),
                HostPattern::Any => set.any = true,
            }
        }
        set.written = patterns;
        set
    }

    pub(crate) fn contains(&self, host: &Host<'_>) -> bool {
        self.exact.contains(host.name())
            || (!self.suffix.is_empty() && host.parents().any(|parent| self.suffix.contains(parent)))
            || self.any
    }

    pub(crate) fn patterns(&self) -> &[HostPattern] {
        &self.written
    }
}
