//! Which users have failed: each counts once, until it has not failed for ten minutes.

/// The users that are remembered.
pub(super) const PLACES: usize = 256;
/// For how many seconds.
const MEMORY: u64 = 600;

/// The users of both sides that failed, by fingerprints of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Users {
    /// With the second of the last failure, in the order of writing.
    pub(super) seen: Vec<(u32, u64)>,
    /// The last tick in which one was pushed out that was still remembered.
    crowded: Option<u64>,
}

impl Users {
    /// Takes note of those who failed in the second `now`, in ascending order. Returns how many of them
    /// had not failed for ten minutes.
    pub(super) fn failed(&mut self, keys: &[u32], now: u64) -> u64 {
        keys.iter().fold(0u64, |fresh, key| fresh.saturating_add(u64::from(self.one(*key, now))))
    }

    fn one(&mut self, key: u32, now: u64) -> bool {
        let is_remembered = |last: u64| now.saturating_sub(last) <= MEMORY;
        let known = self.seen.iter().position(|(seen, _)| *seen == key);
        let last = known.map(|at| self.seen.remove(at).1);
        if self.seen.len() >= PLACES {
            let (_, oldest) = self.seen.remove(0);
            if is_remembered(oldest) {
                self.crowded = Some(now);
            }
        }
        self.seen.push((key, now));
        !last.is_some_and(is_remembered)
    }

    /// Whether there was no room in this second for all that must be remembered: users can then not be
    /// told apart.
    pub(super) fn is_crowded(&self, now: u64) -> bool {
        self.crowded == Some(now)
    }
}
