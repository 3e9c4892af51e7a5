//! What a host keeps for a policy whose series get their names while requests are served.
//!
//! There is no I/O here. [`CardinalityLimit::admits`] and [`CardinalityLimit::apply`] are the rules of
//! the series log, which the workers of a proxy share. The host decides where that log is, and keeps
//! the ids of the series.

use std::cell::RefCell;

use super::bound::Bound;
use super::hosts::HostMap;
use super::registry::{OTHER, Registry};
use crate::policy::series::{Measurement, Series};

/// The path of a property.
pub type Path = Box<[Box<str>]>;

/// The bounded memory of a policy, and the properties that must be read for it.
#[derive(Clone, Debug, Default)]
pub struct CardinalityLimit {
    pub(super) reads: Vec<Path>,
    pub(super) constants: Vec<Constant>,
    pub(super) registry: RefCell<Registry>,
    /// Series that count as admitted: those that exist from the start.
    pub(super) reserved: usize,
    /// How many series the policy allows in all.
    pub(super) limit: usize,
    /// The index of the registry's first series.
    pub(super) first: usize,
    pub(super) logged: RefCell<Logged>,
}

/// What has been logged so far, so that it is logged once.
#[derive(Clone, Debug, Default)]
pub(super) struct Logged {
    /// Values dropped, by tag: the first few.
    pub(super) values: Vec<Vec<Box<str>>>,
    /// Whether it was logged that there is no room for more series.
    pub(super) full: bool,
}

/// A property that does not change while the proxy runs, and the tag that it is for.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) path: Path,
    pub(super) tag: usize,
    pub(super) bound: Bound,
    /// A map, if only some values have a name.
    pub(super) map: Option<HostMap>,
}

/// Whether a report may ask to admit values and series that are not admitted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Open,
    /// It may not: what is unknown is counted as `other`, or in the overflow series.
    Closed,
}

/// The result for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Entries that must be appended to the series log before the request can be measured.
    NeedsAdmission(Vec<Vec<u8>>),
    /// The request is measured.
    Measured {
        /// What to add to which series.
        measurements: Vec<Measurement>,
        /// Filter state to publish.
        state: Vec<(String, String)>,
        /// What to log.
        notes: Vec<String>,
    },
}

impl Default for Report {
    fn default() -> Self {
        Self::Measured { measurements: Vec::new(), state: Vec::new(), notes: Vec::new() }
    }
}

impl CardinalityLimit {
    /// The properties to read in the log phase, in this order.
    pub fn reads(&self) -> &[Path] {
        &self.reads
    }

    /// The properties to read once, when the policy is loaded.
    pub fn constants(&self) -> impl Iterator<Item = &Path> {
        self.constants.iter().map(|constant| &constant.path)
    }

    /// Takes the values of [`CardinalityLimit::constants`].
    pub fn begin(&self, values: &[Option<Vec<u8>>]) {
        // Borrowed for this call only, here and below; nothing calls back.
        let Ok(mut registry) = self.registry.try_borrow_mut() else { return };
        for (constant, value) in self.constants.iter().zip(values) {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                let text = match &constant.map {
                    Some(map) => {
                        let index = map.find(&value.to_ascii_lowercase()).unwrap_or(OTHER);
                        registry.text(constant.tag, index).to_owned()
                    }
                    None => constant.bound.of(value),
                };
                registry.settle(constant.tag, &text);
            }
        }
    }

    /// Sets the plugin whose values these are. Plugins of one filter share the log of a proxy, and may
    /// have tags of the same name.
    pub fn own(&self, owner: &str) {
        if let Ok(mut registry) = self.registry.try_borrow_mut() {
            registry.own(owner);
        }
    }

    /// How many series the policy allows the filter in this proxy.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sets how many series the policies of all plugins allow: the largest limit counts.
    pub fn allow(&self, limit: usize) {
        if let Ok(mut registry) = self.registry.try_borrow_mut() {
            registry.allow(limit.max(self.limit).saturating_sub(self.reserved));
        }
    }

    /// The entries of the series that exist from the start: a later policy must know that Envoy has
    /// them.
    pub fn overflow_entries(&self) -> Vec<Vec<u8>> {
        self.registry.try_borrow().map(|registry| registry.overflow_entries()).unwrap_or_default()
    }

    /// Admits no more, because the log has no more room. New values are then `other`, new series go
    /// into the overflow series, and no report asks any more. Returns whether it was open before.
    pub fn close(&self) -> bool {
        self.registry.try_borrow_mut().is_ok_and(|mut registry| registry.close())
    }

    /// Whether an entry may be appended to the log. The log must have been read to its end.
    pub fn admits(&self, entry: &[u8]) -> bool {
        self.registry.try_borrow().is_ok_and(|registry| registry.admits(entry))
    }

    /// Applies an entry of the log.
    pub fn apply(&self, entry: &[u8]) {
        if let Ok(mut registry) = self.registry.try_borrow_mut() {
            registry.apply(entry);
        }
    }

    /// The series of the log from the number `from` on. They must be defined in this order.
    pub fn series_from(&self, from: usize) -> Vec<Series> {
        self.registry.try_borrow().map(|registry| registry.series_from(from).to_vec()).unwrap_or_default()
    }

    /// The labels of all series except those that exist from the start.
    pub fn labels(&self) -> Vec<Box<str>> {
        self.registry
            .try_borrow()
            .map(|registry| registry.labels().map(Into::into).collect())
            .unwrap_or_default()
    }

    /// How many series there are in all. It is for the gauge that is the policy's first series.
    pub fn size(&self) -> Measurement {
        let admitted = self.registry.try_borrow().map(|registry| registry.counted()).unwrap_or_default();
        let all = admitted.saturating_add(self.reserved);
        Measurement { series: 0, value: u64::try_from(all).unwrap_or(u64::MAX) }
    }
}
