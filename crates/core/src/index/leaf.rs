//! The clauses of one host and path, filed by their rarest exact fact.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::facts::{Anchor, Fact, Facts, Vocabulary};

/// Clauses that share a host pattern and a path prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    /// Clauses to try for every request, ascending.
    always: Vec<u32>,
    /// Clauses to try for a request with that fact, ascending.
    filed: HashMap<Fact, Vec<u32>, BuildHasherDefault<Identity>>,
    /// Clauses not filed yet.
    waiting: Vec<(u32, Vec<Anchor>)>,
}

impl Leaf {
    pub(crate) fn insert(&mut self, number: u32, anchors: &[Anchor]) {
        self.waiting.push((number, anchors.to_vec()));
    }

    /// Files every clause under the anchor that it shares with the fewest others, as
    /// an inverted index is read from its rarest term.
    pub(crate) fn finish(&mut self, vocabulary: &mut Vocabulary) {
        /// So few are tried sooner than looked up.
        const FEW: usize = 4;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.len() <= FEW {
            self.always.extend(waiting.iter().map(|(number, _)| *number));
            return;
        }
        let mut shared: HashMap<Fact, usize, BuildHasherDefault<Identity>> = HashMap::default();
        for fact in waiting.iter().flat_map(|(_, anchors)| anchors).flat_map(|a| &a.facts) {
            let count = shared.entry(*fact).or_default();
            *count = count.saturating_add(1);
        }
        let crowd = |anchor: &&Anchor| -> usize {
            anchor.facts.iter().filter_map(|fact| shared.get(fact)).fold(0, |sum, n| sum.saturating_add(*n))
        };
        for (number, anchors) in &waiting {
            let Some(rarest) = anchors.iter().min_by_key(crowd) else {
                self.always.push(*number);
                continue;
            };
            vocabulary.learn(rarest);
            for fact in &rarest.facts {
                self.filed.entry(*fact).or_default().push(*number);
            }
        }
    }

    /// Lowers `best` to the first clause here for which `verify` holds.
    pub(crate) fn scan(&self, facts: &Facts, verify: &impl Fn(u32) -> bool, best: &mut Option<u32>) {
        first(&self.always, verify, best);
        if !self.filed.is_empty() {
            for clauses in facts.0.iter().filter_map(|fact| self.filed.get(fact)) {
                first(clauses, verify, best);
            }
        }
    }
}

fn first(clauses: &[u32], verify: &impl Fn(u32) -> bool, best: &mut Option<u32>) {
    let found = clauses
        .iter()
        .take_while(|number| best.is_none_or(|best| **number < best))
        .find(|number| verify(**number));
    if found.is_some() {
        *best = found.copied();
    }
}

/// A fact is a hash already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is called for a `u64`; anything else is folded in, not lost.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, fact: u64) {
        self.0 = fact;
    }
}
