//! What one side counted in a tick.

use super::users::{PLACES, Users};
use crate::order::merged;

/// The most requests of one kind that a side counts in a second.
pub const COUNT: u64 = 1 << 24;

/// What one side counted in a tick. Counts above [`COUNT`] are taken as that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Its requests.
    pub n: u64,
    /// Those that fail.
    pub y: u64,
    /// Fingerprints of the users whose requests fail, distinct, in any order.
    pub keys: Vec<u32>,
    /// Failing requests of other users.
    pub rest: u64,
}

impl Side {
    /// Counts a request of one worker, and who failed: nobody, where there are no users. `room` is for how
    /// many users more there is room.
    #[inline(never)]
    pub(super) fn count(&mut self, is_failing: bool, key: Option<u32>, room: usize) {
        self.n = self.n.saturating_add(1);
        if is_failing {
            self.y = self.y.saturating_add(1);
            self.list(key, room);
        }
    }

    #[inline(never)]
    fn list(&mut self, key: Option<u32>, room: usize) {
        match key {
            Some(key) if self.keys.contains(&key) => {}
            Some(key) if room > 0 => self.keys.push(key),
            _ => self.rest = self.rest.saturating_add(1),
        }
    }

    /// Adds what another worker counted in the same tick.
    #[inline(never)]
    pub(super) fn add(&mut self, other: &Self) {
        let sum = |a: u64, b: u64| a.saturating_add(b).min(COUNT);
        self.n = sum(self.n, other.n);
        self.y = sum(self.y, other.y);
        self.rest = sum(self.rest, other.rest);
        other.keys.iter().for_each(|key| self.list(Some(*key), PLACES.saturating_sub(self.keys.len())));
    }

    /// The users that count in this tick.
    #[inline(never)]
    pub(super) fn counted(&self, users: &mut Users, now: u64) -> u64 {
        let keys = merged(self.keys.clone(), |a, b| a > b);
        users.failed(&keys, now).saturating_add(self.rest.min(COUNT))
    }
}
