//! Finding the first matching clause without trying them all.
//!
//! The order of rules is their meaning; it must not be the algorithm. Three steps
//! narrow a request down to a few candidates, which are then tried in order:
//!
//! 1. by host: a hash of exact names, a hash of parent domains, and the rest;
//! 2. by path: a trie of literal prefixes for each of these;
//! 3. by the rarest fact that a clause asks for (what a header, cookie, query parameter or the
//!    method is, starts or ends with, or that it is there), hashed: see [`leaf`].
//!
//! Each step may only leave out what cannot match: a candidate is always verified in
//! full, so the index can be wrong about cost, never about meaning. What it cannot
//! narrow is documented: clauses that say only what must *not* be there, `source`, and
//! `contains`, `range` and `regex` on one name are tried one by one within their host and path.

mod facts;
mod leaf;
mod trie;

use std::collections::HashMap;

use xxhash_rust::xxh64::Xxh64Builder;

use crate::matcher::Match;
use crate::matcher::hosts::HostPattern;
use crate::request::Request;
use facts::{Facts, Vocabulary};
use trie::Trie;

/// An index over numbered clauses; the lowest number that matches wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    exact: HashMap<Box<[u8]>, Trie, Xxh64Builder>,
    suffix: HashMap<Box<[u8]>, Trie, Xxh64Builder>,
    any: Trie,
    vocabulary: Vocabulary,
}

impl Index {
    /// Indexes clauses under their numbers, which must ascend.
    pub(crate) fn build<'m>(clauses: impl IntoIterator<Item = (u32, &'m Match)>) -> Self {
        let mut index = Self::default();
        for (number, clause) in clauses {
            let prefixes = clause.path.as_ref().map_or_else(|| vec![Vec::new()], trie::literal_prefixes);
            let anchors = facts::anchors(clause);
            let patterns = clause.hosts.as_ref().map_or([HostPattern::Any].as_slice(), |h| h.patterns());
            for pattern in patterns {
                let trie = match pattern {
                    HostPattern::Any => &mut index.any,
                    HostPattern::Exact(name) => index.exact.entry(name.clone()).or_default(),
                    HostPattern::Suffix(name) => index.suffix.entry(name.clone()).or_default(),
                };
                for prefix in &prefixes {
                    trie.insert(prefix, number, &anchors);
                }
            }
        }
        let tries = index.exact.values_mut().chain(index.suffix.values_mut());
        for trie in tries.chain([&mut index.any]) {
            trie.finish(&mut index.vocabulary);
        }
        index
    }

    /// Whether there is no clause at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.suffix.is_empty() && self.any.is_empty()
    }

    /// The lowest clause for which `verify` holds.
    pub(crate) fn first(&self, request: &Request<'_>, verify: impl Fn(u32) -> bool) -> Option<u32> {
        let path = request.path().to_ascii_lowercase();
        let facts = Facts::of(request, &self.vocabulary);
        let mut best = None;
        let mut scan = |trie: &Trie| trie.scan(&path, &facts, &verify, &mut best);
        scan(&self.any);
        if !self.exact.is_empty() {
            self.exact.get(request.host().name()).map(&mut scan);
        }
        if !self.suffix.is_empty() {
            request.host().parents().filter_map(|parent| self.suffix.get(parent)).for_each(&mut scan);
        }
        best
    }
}
