//! Finding the first match that holds without trying them all.
//!
//! The order of rules defines their meaning. It must not be the algorithm too. Three steps narrow a
//! request down to a few candidates, which are then tried in order:
//!
//! 1. by host: a hash of exact names, a hash of parent domains, [`Globs`], and the rest;
//! 2. by path: a trie of literal prefixes for each of these; hosts share one trie if a match has many
//!    paths for them;
//! 3. by the rarest index term that a match asks for, hashed (see [`terms`]). A term is a fact about a
//!    header, cookie, query parameter, the path, the method or the caller's name: that it is there;
//!    that it is, starts with, ends with or holds a text. Or it is the block that a number or address
//!    is in. A second term, as a bit of a signature, spares most of those matches that share the first.
//!
//! Each step may only leave out matches that cannot match. A candidate is always verified in full, so
//! the index can be wrong about cost, never about meaning. What it cannot narrow is documented: regular
//! expressions, of which a policy has few, and matches that have only conditions on what must *not* be
//! there, within their host and path. Of these, the matches that the same condition keeps out are tried
//! as one: see [`postings`].
//!
//! Whatever a request makes true at once, no match is verified twice for it. So verifying costs no
//! more than the length of the policy. The memory for an index is counted before it is taken.

mod key;
mod negation;
mod postings;
mod term;
mod terms;
mod trie;

use std::rc::Rc;

use crate::language::invalid::Invalid;
use crate::language::names::IndexByName;
use crate::matching::budget::Budget;
use crate::matching::hosts::{Globs, HostPattern};
use crate::matching::matches::Match;
use crate::matching::request::Request;
use crate::order::distinct;
use key::IndexKeys;
use term::Term;
use terms::{RequestTerms, TermDictionary};
use trie::Trie;

/// An index over numbered matches; the lowest number that matches wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    exact: IndexByName,
    suffix: IndexByName,
    /// Bytes of the longest suffix.
    longest_suffix: usize,
    globs: Globs,
    /// By the indices of hosts. The first is for every host.
    hosts: Vec<Tries>,
    tries: Vec<Trie>,
    dictionary: TermDictionary,
    /// The highest number plus one.
    numbers: usize,
}

/// The tries of one host pattern.
#[derive(Clone, Debug, Default)]
struct Tries {
    /// For the matches that are filed under each of their hosts.
    own: Option<u32>,
    /// For the matches whose hosts share a trie.
    shared: Vec<u32>,
}

/// An index while it is made.
pub(crate) struct Builder<'b> {
    budget: &'b Budget,
    index: Index,
    /// Indices in `groups`, by hosts.
    shared: IndexByName,
    groups: Vec<Group>,
}

/// Hosts that are together in some match.
#[derive(Debug, Default)]
struct Group {
    /// The trie that they share.
    trie: Option<u32>,
    /// How many paths were filed for them.
    paths: usize,
}

/// The bytes that an entry takes besides the terms that it is filed under.
const ENTRY: usize = 104;
/// The bytes that an entry takes for each term that it is filed under.
const FILED: usize = 32;
/// The bytes that a term takes while the index is made.
const FACT: usize = 56;
/// The bytes that a host takes.
const HOST: usize = 144;

impl<'b> Builder<'b> {
    pub(crate) fn new(budget: &'b Budget) -> Self {
        let index = Index { hosts: vec![Tries::default()], ..Index::default() };
        Self { budget, index, shared: IndexByName::default(), groups: Vec::new() }
    }

    /// Files a match under its number; numbers must ascend.
    pub(crate) fn add(&mut self, number: u32, rule_match: &Match) -> Result<(), Invalid> {
        let keys = IndexKeys::of(rule_match);
        self.budget.index(keys.terms().saturating_mul(FACT))?;
        let prefixes = trie::literal_prefixes(rule_match.path.as_ref());
        let entry = ENTRY.saturating_add(keys.most().saturating_mul(FILED));
        let keys = Rc::new(keys);
        self.index.numbers = (number as usize).saturating_add(1);
        let patterns = rule_match.hosts.as_ref().map_or([HostPattern::Any].as_slice(), |h| h.patterns());
        let (shared, is_new) = self.share(patterns, prefixes.len())?;
        self.budget.file(if shared.is_some() { 1 } else { patterns.len() }, prefixes.len(), entry)?;
        for pattern in patterns {
            let own = self.entry(pattern, shared.filter(|_| is_new), shared.is_none())?;
            if let Some(trie) = own.and_then(|own| self.index.tries.get_mut(own as usize)) {
                prefixes.iter().for_each(|prefix| trie.insert(prefix, number, &keys));
            }
        }
        if let Some(trie) = shared.and_then(|shared| self.index.tries.get_mut(shared as usize)) {
            prefixes.iter().for_each(|prefix| trie.insert(prefix, number, &keys));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Index {
        let mut index = self.index;
        for trie in &mut index.tries {
            trie.finish(&mut index.dictionary);
        }
        index.hosts.iter_mut().for_each(|tries| tries.shared.shrink_to_fit());
        index.tries.shrink_to_fit();
        index
    }

    /// The trie that these hosts share, if they share one, and whether it is new. A trie for each host
    /// is quicker to search. But where the number of entries would be hosts times paths, they share
    /// one.
    fn share(&mut self, patterns: &[HostPattern], paths: usize) -> Result<(Option<u32>, bool), Invalid> {
        if patterns.len() < 2 {
            return Ok((None, false));
        }
        let mut key = Vec::new();
        for pattern in patterns {
            key.push(b'/');
            key.extend_from_slice(text_of(pattern));
        }
        let new = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let bytes = key.len().saturating_add(HOST);
        let group = *self.shared.entry(key.into()).or_insert(new);
        if group == new {
            self.budget.index(bytes)?;
            self.groups.push(Group::default());
        }
        let Some(group) = self.groups.get_mut(group as usize) else { return Ok((None, false)) };
        group.paths = group.paths.saturating_add(paths);
        let (hosts, paths) = (patterns.len(), group.paths);
        let is_product = hosts.saturating_mul(paths) > 4usize.saturating_mul(hosts.saturating_add(paths));
        let is_new = group.trie.is_none() && is_product;
        if is_new {
            group.trie = u32::try_from(self.index.tries.len()).ok();
            self.index.tries.push(Trie::default());
        }
        Ok((group.trie, is_new))
    }

    /// The host's own trie, if it `needs` one. If there is a `shared` trie, it is noted for the host.
    fn entry(
        &mut self,
        pattern: &HostPattern,
        shared: Option<u32>,
        needs: bool,
    ) -> Result<Option<u32>, Invalid> {
        let Index { exact, suffix, longest_suffix, globs, hosts, tries, .. } = &mut self.index;
        let new = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let at = match pattern {
            HostPattern::Any => 0,
            HostPattern::Exact(name) => *exact.entry(name.clone()).or_insert(new),
            HostPattern::Suffix(name) => {
                *longest_suffix = name.len().max(*longest_suffix);
                *suffix.entry(name.clone()).or_insert(new)
            }
            HostPattern::Glob(name) => globs.insert(name, new),
        };
        if at == new {
            let tree = if let HostPattern::Glob(glob) = pattern { Globs::weight(glob) } else { 0 };
            self.budget.index(HOST.saturating_add(text_of(pattern).len()).saturating_add(tree))?;
            hosts.push(Tries::default());
        }
        let Some(of_host) = hosts.get_mut(at as usize) else { return Ok(None) };
        if shared.is_some() {
            self.budget.index(2usize.saturating_mul(size_of::<u32>()))?;
            // A host that is twice among them has it twice.
            of_host.shared.extend(shared);
        }
        if !needs {
            return Ok(None);
        }
        Ok(Some(*of_host.own.get_or_insert_with(|| {
            tries.push(Trie::default());
            u32::try_from(tries.len().saturating_sub(1)).unwrap_or(u32::MAX)
        })))
    }
}

fn text_of(pattern: &HostPattern) -> &[u8] {
    match pattern {
        HostPattern::Any => b"*",
        HostPattern::Exact(name) | HostPattern::Suffix(name) | HostPattern::Glob(name) => name,
    }
}

/// What has been found for a request so far.
pub(crate) struct Found<'s> {
    verify: &'s dyn Fn(u32) -> bool,
    best: Option<u32>,
    /// How many matches were tried. If they are many, `tried` has a bit for each.
    count: usize,
    tried: Vec<u64>,
    numbers: usize,
    /// The last term that was looked up and does not hold.
    missing: Term,
}

impl Index {
    /// Whether there is no match at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.tries.is_empty()
    }

    /// The lowest match for which `verify` holds.
    pub(crate) fn first(&self, request: &Request<'_>, verify: impl Fn(u32) -> bool) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        // A trie that several of the hosts share is searched once.
        let mut found_tries: Vec<u64> = Vec::new();
        let mut visit = |at: u32| {
            if let Some(tries) = self.hosts.get(at as usize) {
                found_tries.extend(tries.own.iter().chain(&tries.shared).copied().map(u64::from));
            }
        };
        if !self.exact.is_empty() {
            self.exact.get(request.host().name()).copied().into_iter().for_each(&mut visit);
        }
        if !self.suffix.is_empty() {
            let parents = request.host().parents(self.longest_suffix);
            parents.filter_map(|parent| self.suffix.get(parent).copied()).for_each(&mut visit);
        }
        if !self.globs.is_empty() {
            self.globs.find(request.host().name(), &mut visit);
        }
        visit(0);
        let found_tries = distinct(found_tries);
        if found_tries.is_empty() {
            return None;
        }
        let path = request.path().to_ascii_lowercase();
        let terms = RequestTerms::of(request, &self.dictionary);
        let (numbers, missing) = (self.numbers, 0);
        let mut found = Found { verify: &verify, best: None, count: 0, tried: Vec::new(), numbers, missing };
        for trie in found_tries.into_iter().filter_map(|at| self.tries.get(usize::try_from(at).ok()?)) {
            trie.scan(&path, &terms, &mut found);
        }
        found.best
    }
}

impl Found<'_> {
    /// Matches that are tried before it is noted which ones were.
    const FEW: usize = 16;

    /// Whether a match comes before the best.
    fn is_early(&self, number: u32) -> bool {
        self.best.is_none_or(|best| number < best)
    }

    /// Lowers the best to the first of these matches, in their order, that holds. Each match comes
    /// with a second term that must hold too, or with 0.
    fn first(&mut self, rule_matches: impl Iterator<Item = (u32, Term)>, terms: &RequestTerms<'_, '_>) {
        for (number, second_term) in rule_matches {
            if !self.is_early(number) {
                return;
            }
            if second_term != 0 && self.misses(second_term, terms) || !self.is_new(number) {
                continue;
            }
            // A term is looked up once for each match, although many terms may lead to the match.
            if second_term != 0 && !terms.holds(second_term) {
                self.missing = second_term;
            } else if (self.verify)(number) {
                self.best = Some(number);
                return;
            }
        }
    }

    /// Whether a term is known not to hold, without looking it up.
    fn misses(&self, term: Term, terms: &RequestTerms<'_, '_>) -> bool {
        term == self.missing || !terms.may_hold(term)
    }

    /// Whether a match was not tried before, as far as that was noted.
    fn is_new(&mut self, number: u32) -> bool {
        self.count = self.count.saturating_add(1);
        if self.count <= Self::FEW {
            return true;
        }
        if self.tried.is_empty() {
            self.tried = vec![0; self.numbers.div_ceil(64)];
        }
        let bit = 1u64.checked_shl(number & 63).unwrap_or_default();
        let Some(word) = self.tried.get_mut((number >> 6) as usize) else { return true };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
