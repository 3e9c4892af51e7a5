//! Finding the first matching clause without trying them all.
//!
//! The order of rules is their meaning; it must not be the algorithm. Three steps
//! narrow a request down to a few candidates, which are then tried in order:
//!
//! 1. by host: a hash of exact names, a hash of parent domains, and the rest;
//! 2. by path: a trie of literal prefixes for each of these;
//! 3. by the rarest fact that a clause asks for, hashed (see [`facts`]): what a header, cookie, query
//!    parameter, the method or the caller's name is, starts with, ends with or holds, or that it is
//!    there; the block of numbers or addresses in which one is. A second fact, as a bit of a
//!    signature, spares most of those that share the first.
//!
//! Each step may only leave out what cannot match: a candidate is always verified in
//! full, so the index can be wrong about cost, never about meaning. What it cannot
//! narrow is documented: regular expressions, which a policy has few of, and clauses that
//! say only what must *not* be there, within their host and path. Those that must miss the same
//! condition are tried as one: see [`leaf`].

mod anchor;
mod bar;
mod facts;
mod finder;
mod leaf;
mod trie;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::matcher::Match;
use crate::matcher::hosts::HostPattern;
use crate::names::Places;
use crate::request::Request;
use anchor::Anchors;
use facts::{Fact, Facts, Vocabulary};
use trie::Trie;

/// An index over numbered clauses; the lowest number that matches wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    exact: Places,
    suffix: Places,
    /// The first is of every host.
    tries: Vec<Trie>,
    vocabulary: Vocabulary,
}

/// Numbers by facts, which are hashes already.
type ByFact = HashMap<Fact, u32, BuildHasherDefault<Identity>>;

#[derive(Clone, Debug, Default)]
struct Identity(u64);

impl Index {
    /// Indexes clauses under their numbers, which must ascend.
    pub(crate) fn build<'m>(clauses: impl IntoIterator<Item = (u32, &'m Match)>) -> Self {
        let mut index = Self { tries: vec![Trie::default()], ..Self::default() };
        for (number, clause) in clauses {
            index.insert(number, clause);
        }
        for trie in &mut index.tries {
            trie.finish(&mut index.vocabulary);
        }
        index.vocabulary.finish();
        index
    }

    fn insert(&mut self, number: u32, clause: &Match) {
        let prefixes = trie::literal_prefixes(clause.path.as_ref());
        let anchors = Rc::new(Anchors::of(clause));
        let patterns = clause.hosts.as_ref().map_or([HostPattern::Any].as_slice(), |h| h.patterns());
        for pattern in patterns {
            let new = u32::try_from(self.tries.len()).unwrap_or_default();
            let place = match pattern {
                HostPattern::Any => 0,
                HostPattern::Exact(name) => *self.exact.entry(name.clone()).or_insert(new),
                HostPattern::Suffix(name) => *self.suffix.entry(name.clone()).or_insert(new),
            };
            if place == new {
                self.tries.push(Trie::default());
            }
            if let Some(trie) = self.tries.get_mut(place as usize) {
                prefixes.iter().for_each(|prefix| trie.insert(prefix, number, &anchors));
            }
        }
    }

    /// Whether there is no clause at all.
    pub(crate) fn is_empty(&self) -> bool {
        // A host has a trie if a clause names it.
        self.tries.len() <= 1 && self.tries.first().is_none_or(Trie::is_empty)
    }

    /// The lowest clause for which `verify` holds.
    pub(crate) fn first(&self, request: &Request<'_>, verify: impl Fn(u32) -> bool) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let path = request.path().to_ascii_lowercase();
        let facts = Facts::of(request, &self.vocabulary);
        let mut best = None;
        let mut scan = |place: &u32| {
            if let Some(trie) = self.tries.get(*place as usize) {
                trie.scan(&path, &facts, &verify, &mut best);
            }
        };
        if !self.exact.is_empty() {
            self.exact.get(request.host().name()).map(&mut scan);
        }
        if !self.suffix.is_empty() {
            request.host().parents().filter_map(|parent| self.suffix.get(parent)).for_each(&mut scan);
        }
        scan(&0);
        best
    }
}

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
