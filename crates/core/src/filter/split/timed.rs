//! What a split owes to the time: which backend owns a bucket now, and how many buckets each ramp has.

use super::slots::Slots;
use super::splitter::{Split, Splitter};
use crate::language::modes::Mode;
use crate::policy::series::Measurement;

impl Split {
    /// Whether a decision of this split needs the time.
    pub(super) fn is_timed(&self) -> bool {
        self.mode != Mode::Off && self.backends.iter().any(|backend| backend.ramp.is_some())
    }

    /// The backend that owns a bucket at a moment.
    pub(super) fn owner(&self, bucket: u32, now: u64) -> usize {
        let owns = |(backend, place): &(usize, u32)| {
            let ramp = self.backends.get(*backend).and_then(|backend| backend.ramp.as_ref());
            ramp.is_none_or(|ramp| *place < ramp.buckets(self.time_of(*backend, now)))
        };
        self.slots.place(bucket).filter(owns).map_or(self.baseline, |(backend, _)| backend)
    }

    /// The time by which the ramp of a backend goes: it stands while the rollback has switched the backend
    /// off.
    fn time_of(&self, backend: usize, now: u64) -> u64 {
        self.rollback.as_deref().map_or(now, |rolling| rolling.time(backend, now))
    }

    /// The buckets that each backend owns at a moment.
    pub(super) fn slots_at(&self, now: u64) -> Slots {
        let own = |backend: usize| {
            let ramp = self.backends.get(backend)?.ramp.as_ref()?;
            Some(ramp.buckets(self.time_of(backend, now)))
        };
        self.slots.clone().limited(own)
    }
}

impl Splitter {
    /// What each gauge of a ramp shows at a moment, in seconds since the epoch: the buckets that its
    /// backend owns.
    pub(super) fn weights_at(&self, now: u64) -> Vec<Measurement> {
        let timed = self.splits.iter().filter(|split| split.is_timed());
        let gauges = timed.flat_map(|split| {
            split.backends.iter().enumerate().filter_map(move |(index, backend)| {
                let ramp = backend.ramp.as_ref()?;
                let is_off = split.rollback.as_deref().is_some_and(|rolling| rolling.is_off(index));
                let buckets = if is_off { 0 } else { ramp.buckets(split.time_of(index, now)) };
                Some(Measurement { series: backend.ramp_series(), value: buckets.into() })
            })
        });
        gauges.collect()
    }
}
