//! A split's arithmetic, for tools that compare policies.

use super::bucket::{BUCKETS, bucket};
use super::key::Key;
use super::ramp::Ramp;
use super::rollback::{Rolling, Rule};
use super::slots::Slots;
use super::splitter::{Backend, Missing, Split, Splitter};
use crate::language::modes::Mode;

/// What decides who goes where in one split.
#[derive(Clone, Debug)]
pub struct View<'s> {
    /// The split's name.
    pub name: &'s str,
    /// Whether it acts. The policy's own mode is included.
    pub mode: Mode,
    /// What is hashed before the key.
    pub salt: &'s [u8],
    /// The key sources in order, such as `header:x-user-id`.
    pub keys: Vec<String>,
    /// Whether any request is placed by its bucket.
    pub divides: bool,
    /// Which backend owns which buckets.
    pub slots: Slots,
    /// The ramps of the backends; nothing for one with a fixed weight.
    pub ramps: Vec<Option<&'s Ramp>>,
    /// What is judged of its canaries; nothing where the split does not act.
    pub rollback: Option<&'s Rule>,
    /// The backend that owns the rest, by its index.
    pub baseline: usize,
    /// The names of the backends.
    pub backends: Vec<&'s str>,
    /// Where each of them is: two that differ in this are different services.
    pub destinations: Vec<Vec<u8>>,
    /// The key sources with how they are read, such as `header:x-user-id lowercase`.
    pub readings: Vec<String>,
    /// The backend of requests without a key; nothing if they are divided at random.
    pub keyless: Option<usize>,
    first: Option<&'s Key>,
}

impl View<'_> {
    /// Whether a value of the first source is a key by itself.
    pub fn takes_keys(&self) -> bool {
        self.first.is_some_and(Key::is_one_value)
    }

    /// The bucket of a value of the first source, read as the filter reads it; nothing if the filter
    /// sees no key in it.
    pub fn bucket_of(&self, value: &[u8]) -> Option<u32> {
        self.first?.of_value(value).map(|key| bucket(self.salt, &key))
    }
}

impl Split {
    /// Whether any request is placed by its bucket: by a key, or at random because it has none.
    pub(super) fn divides(&self) -> bool {
        !self.keys.is_empty() || self.missing == Missing::Random
    }
}

impl Split {
    /// Whether some backend other than the baseline has a weight.
    pub(super) fn gives_weight(&self) -> bool {
        self.slots.owned().iter().any(|(from, to, _)| from < to)
    }

    /// Whether the baseline has no bucket of its own, but for those that rounding leaves, and serves only requests
    /// that have no key.
    pub(super) fn leaves_only_keyless(&self) -> bool {
        let owned = self.slots.owned().iter().map(|(from, to, _)| to.saturating_sub(*from));
        // Less than one bucket of each is lost.
        let rounded = owned.filter(|owned| *owned > 0).map(|owned| owned.saturating_add(1));
        rounded.fold(0, u32::saturating_add) > BUCKETS
            && !self.keys.is_empty()
            && self.missing == Missing::Backend(self.baseline)
    }
}

impl Splitter {
    /// The splits in order, as they are at a moment, in seconds since the epoch.
    pub fn views(&self, now: u64) -> impl Iterator<Item = View<'_>> {
        self.splits.iter().map(move |split| View {
            name: &split.name,
            mode: split.mode,
            salt: &split.salt,
            keys: split.keys.iter().map(Key::describe).collect(),
            divides: split.divides(),
            slots: split.slots_at(now),
            ramps: split.backends.iter().map(|backend| backend.ramp.as_ref()).collect(),
            rollback: split.rollback.as_deref().map(Rolling::rule),
            baseline: split.baseline,
            backends: split.backends.iter().map(|backend| &*backend.name).collect(),
            destinations: split.backends.iter().map(|backend| self.destination(backend)).collect(),
            readings: split.keys.iter().map(Key::reading).collect(),
            keyless: match split.missing {
                Missing::Backend(backend) => Some(backend),
                Missing::Random => None,
            },
            first: split.keys.first(),
        })
    }

    fn destination(&self, backend: &Backend) -> Vec<u8> {
        backend.to.as_ref().map(|to| to.written(&self.route_header)).unwrap_or_default()
    }
}
