//! One step of a set of positions.

use std::collections::HashMap;

use regex_automata::util::look::{LookMatcher, LookSet};
use xxhash_rust::xxh64::Xxh64Builder;

use super::automaton::bit;

/// Which positions follow which, as bits.
///
/// Most positions follow the one before them: that is a shift. Positions that follow the same others
/// are set together. So a repetition of five hundred is eight words and not five hundred states.
#[derive(Clone, Debug, Default)]
pub(super) struct Relation {
    /// Positions that are followed by the next position.
    chain: Vec<u64>,
    groups: Vec<Group>,
    /// Leads that need a look between the bytes.
    conditional: Vec<Conditional>,
}

/// If one of these is in the set, all of those are in the next set.
#[derive(Clone, Debug, Default)]
struct Group {
    from: Vec<(usize, u64)>,
    to: Vec<(usize, u64)>,
}

/// A lead that holds only at some places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditional {
    /// The position that it leads from; none means every position.
    pub(super) from: Option<usize>,
    pub(super) to: usize,
    pub(super) looks: LookSet,
}

impl Relation {
    /// Bytes that it takes at most.
    pub(super) fn weight(&self) -> usize {
        let group = |group: &Group| {
            group.from.len().saturating_add(group.to.len()).saturating_mul(16).saturating_add(48)
        };
        let fixed =
            self.chain.len().saturating_mul(8).saturating_add(self.conditional.len().saturating_mul(40));
        self.groups.iter().map(group).fold(fixed, usize::saturating_add)
    }

    /// From `edges` that always hold, and `conditional` ones that hold at some places, between so many
    /// positions.
    pub(super) fn of(
        positions: usize,
        edges: impl Iterator<Item = (usize, usize)>,
        conditional: Vec<Conditional>,
    ) -> Self {
        let words = words(positions);
        let mut relation = Self { chain: vec![0; words], groups: Vec::new(), conditional };
        let mut before: Vec<Vec<u64>> = vec![Vec::new(); positions];
        for (from, to) in edges {
            if to == from.saturating_add(1) {
                set(&mut relation.chain, from);
            } else if let Some(before) = before.get_mut(to) {
                before.resize(words, 0);
                set(before, from);
            }
        }
        let mut known: HashMap<Vec<u64>, usize, Xxh64Builder> = HashMap::default();
        let mut together: Vec<Vec<u64>> = Vec::new();
        for (to, before) in before.into_iter().enumerate().filter(|(_, before)| !before.is_empty()) {
            let group = *known.entry(before).or_insert_with_key(|before| {
                relation.groups.push(Group { from: sparse(before), to: Vec::new() });
                together.push(vec![0; words]);
                together.len().saturating_sub(1)
            });
            if let Some(together) = together.get_mut(group) {
                set(together, to);
            }
        }
        for (group, together) in relation.groups.iter_mut().zip(&together) {
            group.to = sparse(together);
        }
        relation
    }

    /// The positions that follow those of `from`, without a look between the bytes.
    pub(super) fn step(&self, from: &[u64], to: &mut [u64]) {
        let mut carry = 0;
        for ((to, from), chain) in to.iter_mut().zip(from).zip(&self.chain) {
            let chained = from & chain;
            *to = chained << 1 | carry;
            carry = chained >> 63;
        }
        for group in &self.groups {
            let is_met = |(word, bits): &(usize, u64)| from.get(*word).is_some_and(|word| word & bits != 0);
            if group.from.iter().any(is_met) {
                for (word, bits) in &group.to {
                    if let Some(word) = to.get_mut(*word) {
                        *word |= bits;
                    }
                }
            }
        }
    }

    /// The same, before the byte `at` of a value.
    pub(super) fn step_at(
        &self,
        from: &[u64],
        to: &mut [u64],
        looker: &LookMatcher,
        value: &[u8],
        at: usize,
    ) {
        self.step(from, to);
        for Conditional { from: one, to: next, looks } in &self.conditional {
            if one.is_none_or(|one| has(from, one)) && holds(*looks, looker, value, at) {
                set(to, *next);
            }
        }
    }

    pub(super) fn is_unconditional(&self) -> bool {
        self.conditional.is_empty()
    }

    /// About the instructions of one step.
    pub(super) fn work(&self) -> u64 {
        let of = |group: &Group| {
            let words = group.from.len().saturating_add(group.to.len()) as u64;
            words.saturating_mul(40).saturating_add(30)
        };
        let groups = self.groups.iter().map(of).fold(0, u64::saturating_add);
        let looks = (self.conditional.len() as u64).saturating_mul(120);
        (self.chain.len() as u64).saturating_mul(60).saturating_add(groups).saturating_add(looks)
    }
}

/// Whether everything holds that must hold before the byte `at` of a value.
pub(super) fn holds(looks: LookSet, looker: &LookMatcher, value: &[u8], at: usize) -> bool {
    looks.iter().all(|look| looker.matches(look, value, at))
}

/// The number of words of a set of so many positions.
pub(super) fn words(positions: usize) -> usize {
    positions.div_ceil(64).max(1)
}

pub(super) fn set(words: &mut [u64], position: usize) {
    if let Some(word) = words.get_mut(position >> 6) {
        *word |= bit(position);
    }
}

pub(super) fn has(words: &[u64], position: usize) -> bool {
    words.get(position >> 6).is_some_and(|word| word & bit(position) != 0)
}

fn sparse(words: &[u64]) -> Vec<(usize, u64)> {
    words.iter().copied().enumerate().filter(|(_, bits)| *bits != 0).collect()
}
