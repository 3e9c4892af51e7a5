//! Which backend owns which buckets.
//!
//! Each backend except the baseline has a slot. Slots are laid out in list order, each as wide as its
//! `maxWeight`. A backend owns the first part of its slot, as much as its `weight`. The baseline owns
//! all the rest. So raising a weight only takes buckets from the baseline, and no bucket ever passes
//! from one canary to another.

use super::bucket::BUCKETS;

/// The buckets of one split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// First bucket, bucket after the last, backend; ascending and disjoint.
    owned: Vec<(u32, u32, usize)>,
    /// The buckets of all slots together, owned or not.
    width: u32,
}

/// What one backend asks for, in parts of the split's total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The backend, by its index.
    pub backend: usize,
    /// Its weight.
    pub weight: u32,
    /// The width of its slot; `None` for an equal part of what is left.
    pub max_weight: Option<u32>,
}

/// Why shares do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The slots together are wider than the total.
    Slots {
        /// The sum of all `maxWeight`.
        sum: u64,
    },
    /// A backend's weight is more than its slot holds.
    Weight {
        /// The backend, by its index.
        backend: usize,
        /// The weight that would fit.
        room: u32,
    },
}

impl Slots {
    /// Lays out the slots of all backends except the baseline. `total` is 1 to [`BUCKETS`]. Parts of a
    /// bucket are rounded down.
    pub fn new(total: u32, shares: &[Share]) -> Result<Self, Misfit> {
        let widest: u64 = shares.iter().filter_map(|share| share.max_weight).map(u64::from).sum();
        if widest > u64::from(total) {
            return Err(Misfit::Slots { sum: widest });
        }
        let reserved = shares.iter().filter_map(|share| share.max_weight).map(|w| buckets(w, total));
        let left = BUCKETS.saturating_sub(reserved.fold(0, u32::saturating_add));
        let sharing = shares.iter().filter(|share| share.max_weight.is_none()).count();
        let equal = left.checked_div(u32::try_from(sharing).unwrap_or(u32::MAX)).unwrap_or(0);
        let mut start = 0u32;
        let mut owned = Vec::with_capacity(shares.len());
        for share in shares {
            let width = share.max_weight.map_or(equal, |w| buckets(w, total));
            let own = buckets(share.weight, total);
            if own > width {
                let parts = u64::from(width).saturating_mul(u64::from(total));
                let room = parts.checked_div(u64::from(BUCKETS)).unwrap_or(0);
                return Err(Misfit::Weight {
                    backend: share.backend,
                    room: u32::try_from(room).unwrap_or(total),
                });
            }
            owned.push((start, start.saturating_add(own), share.backend));
            start = start.saturating_add(width);
        }
        Ok(Self { owned, width: start })
    }

    /// The same slots, but beginning at bucket `first`: after those of another split.
    #[must_use]
    pub fn starting_at(mut self, first: u32) -> Self {
        for (from, to, _) in &mut self.owned {
            *from = from.saturating_add(first);
            *to = to.saturating_add(first);
        }
        self
    }

    /// The buckets of all slots together, owned or not.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The backend that owns a bucket; `None` is the baseline.
    pub fn owner(&self, bucket: u32) -> Option<usize> {
        self.place(bucket).map(|(backend, _)| backend)
    }

    /// The same slots, of which each backend owns as many buckets as `own` says, and never more than now.
    #[must_use]
    pub(super) fn limited(mut self, own: impl Fn(usize) -> Option<u32>) -> Self {
        for (from, to, backend) in &mut self.owned {
            *to = own(*backend).map_or(*to, |buckets| from.saturating_add(buckets).min(*to));
        }
        self
    }

    /// The backend whose part of its slot has a bucket, and how far the bucket is from the beginning of
    /// the slot.
    pub(super) fn place(&self, bucket: u32) -> Option<(usize, u32)> {
        let owns = |(from, to, _): &&(u32, u32, usize)| (*from..*to).contains(&bucket);
        self.owned.iter().find(owns).map(|(from, _, backend)| (*backend, bucket.saturating_sub(*from)))
    }

    /// The buckets that each backend except the baseline owns: first, after the last, backend.
    pub fn owned(&self) -> &[(u32, u32, usize)] {
        &self.owned
    }
}

/// `weight` parts of `total`, in whole buckets.
pub(super) fn buckets(weight: u32, total: u32) -> u32 {
    let exact = u64::from(weight).saturating_mul(u64::from(BUCKETS)).checked_div(u64::from(total));
    exact.and_then(|n| u32::try_from(n).ok()).unwrap_or(BUCKETS)
}
