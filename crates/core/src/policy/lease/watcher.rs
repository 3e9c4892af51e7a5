//! Finds root contexts that have fallen silent.

use super::{Register, Root};

/// How many of its own rounds a root context waits for a silent one before it takes that one for dead.
const ROUNDS: u32 = 4;

/// What a root context remembers of the others from round to round.
///
/// It counts its own rounds, so no step of a clock makes another look dead, and a proxy that was
/// stopped finds the others as they were.
#[derive(Clone, Debug, Default)]
pub struct Watcher(Vec<(u64, u32, u32)>);

impl Watcher {
    /// Looks at the register, once a round. Returns which others are dead, each with its last beat, in
    /// order.
    pub fn look(&mut self, register: &Register, own: u64) -> Vec<(u64, u32)> {
        let silent = |root: &Root| {
            let at = self.0.binary_search_by_key(&(root.id, root.beat), |(id, beat, _)| (*id, *beat));
            let same = at.ok().and_then(|at| self.0.get(at));
            same.map_or(0, |(.., rounds)| rounds.saturating_add(1))
        };
        let others = register.roots().iter().filter(|root| root.id != own);
        self.0 = others.map(|root| (root.id, root.beat, silent(root))).collect();
        let dead = self.0.iter().filter(|(.., rounds)| *rounds >= ROUNDS);
        dead.map(|(id, beat, _)| (*id, *beat)).collect()
    }
}
