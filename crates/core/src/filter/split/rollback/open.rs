//! Requests that have no response yet. One that is open for longer than the baseline's take is slow: a
//! canary that hangs has no end to measure.

/// The open requests that are remembered of each side.
const MOST: usize = 64;

/// The open requests of one VM, by side, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    sides: Vec<Vec<Entry>>,
    /// The number that was given out last.
    last: u64,
}

/// A request that is open.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u64,
    /// When it began, in microseconds.
    started: u64,
    key: Option<u32>,
    /// By which share it was decided.
    share: u64,
}

impl Open {
    /// A request begins. Returns its number, if there is room to remember it.
    pub(super) fn begins(&mut self, side: usize, started: u64, key: Option<u32>, share: u64) -> Option<u64> {
        if self.sides.len() <= side {
            self.sides.resize_with(side.saturating_add(1), Vec::new);
        }
        let open = self.sides.get_mut(side).filter(|open| open.len() < MOST)?;
        self.last = self.last.saturating_add(1);
        open.push(Entry { number: self.last, started, key, share });
        Some(self.last)
    }

    /// A request is no longer open. Returns whether it was still remembered: if not, it has been counted.
    pub(super) fn ends(&mut self, side: usize, number: u64) -> bool {
        let Some(open) = self.sides.get_mut(side) else { return false };
        let at = open.iter().position(|entry| entry.number == number);
        at.map(|at| open.remove(at)).is_some()
    }

    /// Forgets the requests that are slow, by the time for which they are open, and says whose they are.
    pub(super) fn slow(
        &mut self,
        is_slow: impl Fn(u64) -> bool,
        mut count: impl FnMut(usize, Option<u32>, u64),
    ) {
        for (side, open) in self.sides.iter_mut().enumerate() {
            open.retain(|entry| {
                let is_slow = is_slow(entry.started);
                if is_slow {
                    count(side, entry.key, entry.share);
                }
                !is_slow
            });
        }
    }
}
