//! Who has fallen silent.

use super::{Register, Root};

/// The rounds of one's own in which another says nothing before it is taken for dead.
const ROUNDS: u32 = 4;

/// What a root context remembers of the others from round to round.
///
/// It counts its own rounds, so that no step of a clock makes anybody look dead, and a
/// proxy that was stopped finds everybody as they were.
#[derive(Clone, Debug, Default)]
pub struct Watcher(Vec<(u64, u32, u32)>);

impl Watcher {
    /// Looks at the register, once a round; returns who is dead, and at which beat, in
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
