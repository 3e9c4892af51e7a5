//! One canary and one class by themselves: what the shared state does with all of them.

use super::ring::Second;
use super::side::Side;
use super::users::Users;
use super::watch::{Class, Counted, Judged, Watch};

/// Judges one canary in one class, with a table of users of its own.
///
/// [`Judge::tick`] takes the ticks in the order of time. It does not latch: after a trip the caller stops
/// asking until the latch ends, and then calls [`Judge::restart`].
#[derive(Clone, Debug)]
pub struct Judge {
    class: Class,
    users: Users,
    watch: Watch,
}

/// One tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// The second.
    pub now: u64,
    /// The canary's share of its own and the baseline's buckets, in millionths.
    pub w: u64,
    /// What the canary counted.
    pub canary: Side,
    /// What the baseline counted.
    pub baseline: Side,
}

impl Judge {
    /// Nothing is known yet.
    pub fn new(class: Class) -> Self {
        Self { class, users: Users::default(), watch: Watch::default() }
    }

    /// Judges a tick, which must be later than the one before.
    pub fn tick(&mut self, tick: &Tick) -> Judged {
        let Tick { now, w, canary, baseline } = tick;
        let x0 = baseline.counted(&mut self.users, *now);
        let x1 = canary.counted(&mut self.users, *now);
        let is_blurred = canary.rest > 0 || baseline.rest > 0 || self.users.is_crowded(*now);
        let users = Counted { canary: x1, baseline: x0, is_blurred };
        let second = Second { at: *now, canary: (canary.n, canary.y), baseline: (baseline.n, baseline.y) };
        self.watch.judge(self.class, *w, second, users)
    }

    /// Begins anew with the same users.
    pub fn restart(&mut self) {
        self.watch = Watch::default();
    }
}
