//! The matches of one host and path, filed by their rarest term.

use std::rc::Rc;

use super::Found;
use super::key::{IndexKey, IndexKeys};
use super::negation::Negation;
use super::term::{ByTerm, Term};
use super::terms::{RequestTerms, TermDictionary};
use crate::language::names::IndexByName;
use crate::order::sorted;

/// Matches that share a host pattern and a path prefix.
#[derive(Clone, Debug, Default)]
pub(crate) enum Postings {
    #[default]
    Empty,
    /// Matches not filed yet.
    Waiting(Vec<(u32, Rc<IndexKeys>)>),
    /// So few that trying them is quicker than looking them up.
    Few(Box<[u32]>),
    Many(Box<Many>),
}

/// Matches, filed by their rarest term.
#[derive(Clone, Debug, Default)]
pub(crate) struct Many {
    /// Ascending.
    terms: Box<[Term]>,
    /// Where the matches of each term end, among `postings`.
    ends: Box<[u32]>,
    /// Matches to try for a request with some term, ascending for each.
    postings: Box<[Posting]>,
    /// Matches to try for every request, grouped by the negation that keeps them out together.
    always: Vec<NegatedGroup>,
}

/// Matches that no term leads to, ascending.
#[derive(Clone, Debug, Default)]
struct NegatedGroup {
    negation: Option<Negation>,
    numbers: Vec<u32>,
}

/// A filed match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Posting {
    number: u32,
    /// A second term that must hold, if it is worth a lookup; else 0.
    second_term: Term,
}

/// Trying so few is quicker than looking them up.
const FEW: u32 = 4;

impl Postings {
    pub(crate) fn insert(&mut self, number: u32, keys: &Rc<IndexKeys>) {
        if !matches!(self, Self::Waiting(_)) {
            *self = Self::Waiting(Vec::with_capacity(1));
        }
        if let Self::Waiting(waiting) = self {
            waiting.push((number, Rc::clone(keys)));
        }
    }

    pub(crate) fn finish(&mut self, dictionary: &mut TermDictionary) {
        let Self::Waiting(waiting) = std::mem::take(self) else { return };
        *self = if waiting.len() <= FEW as usize {
            Self::Few(waiting.iter().map(|(number, _)| *number).collect())
        } else {
            Self::Many(Box::new(Many::of(&waiting, dictionary)))
        };
    }

    /// Tries the matches that may match a request.
    pub(crate) fn scan(&self, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        match self {
            Self::Empty | Self::Waiting(_) => {}
            Self::Few(numbers) => found.first(without_second_term(numbers), terms),
            Self::Many(many) => many.scan(terms, found),
        }
    }
}

impl Many {
    /// Files every match under the index key that it shares with the fewest others, as an inverted
    /// index is read from its rarest term.
    fn of(waiting: &[(u32, Rc<IndexKeys>)], dictionary: &mut TermDictionary) -> Self {
        let mut shared = ByTerm::default();
        for term in waiting.iter().flat_map(|(_, keys)| &keys.ways).flat_map(|key| &key.terms) {
            let count = shared.entry(*term).or_default();
            *count = count.saturating_add(1);
        }
        let frequency = |key: &IndexKey| -> u32 {
            key.terms.iter().filter_map(|term| shared.get(term)).fold(0, |sum, n| sum.saturating_add(*n))
        };
        let mut postings: Vec<(Term, Posting)> = Vec::new();
        for (number, keys) in waiting {
            let mut rarest: Option<(u32, &IndexKey)> = None;
            let mut next: Option<(u32, &IndexKey)> = None;
            for key in &keys.ways {
                let frequency = frequency(key);
                if rarest.is_none_or(|(least, _)| frequency < least) {
                    next = rarest.replace((frequency, key));
                } else if next.is_none_or(|(least, _)| frequency < least) {
                    next = Some((frequency, key));
                }
            }
            let Some((frequency, rarest)) = rarest else { continue };
            dictionary.add(rarest);
            let next = next.filter(|_| frequency > FEW).map(|(_, key)| key);
            let second_term = next.and_then(|key| match &*key.terms {
                [term] => Some((key, *term)),
                _ => None,
            });
            if let Some((key, _)) = second_term {
                dictionary.add(key);
            }
            let second_term = second_term.map_or(0, |(_, term)| term);
            postings
                .extend(rarest.terms.iter().map(|term| (*term, Posting { number: *number, second_term })));
        }
        drop(shared);
        let of = |index: u32| postings.get(index as usize).copied();
        let order = sorted(postings.len(), &|a, b| of(a).cmp(&of(b)));
        let mut postings: Vec<(Term, Posting)> = order.into_iter().filter_map(of).collect();
        // Texts that differ only in letter case are one term.
        postings.dedup();
        let mut many = Self { always: negated_groups(waiting), ..Self::default() };
        let (mut terms, mut ends): (Vec<Term>, Vec<u32>) = (Vec::new(), Vec::new());
        for (index, (term, _)) in (1u32..).zip(&postings) {
            if terms.last() == Some(term) {
                ends.pop();
            } else {
                terms.push(*term);
            }
            ends.push(index);
        }
        (many.terms, many.ends) = (terms.into(), ends.into());
        many.postings = postings.into_iter().map(|(_, postings)| postings).collect();
        many
    }

    fn scan(&self, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        // Loops over the shorter list. Else a path of many postings would cost its length times the
        // query's.
        if self.terms.len() < terms.all.len() {
            for (index, term) in self.terms.iter().enumerate() {
                if terms.holds(*term) {
                    self.attempt(index, terms, found);
                }
            }
        } else {
            for index in terms.all.iter().filter_map(|term| self.terms.binary_search(term).ok()) {
                self.attempt(index, terms, found);
            }
        }
        // Last, because a match that was found spares the matches after it.
        for NegatedGroup { negation, numbers } in &self.always {
            let is_early = numbers.first().is_some_and(|number| found.is_early(*number));
            if is_early && negation.as_ref().is_none_or(|negation| negation.admits(terms.request)) {
                found.first(without_second_term(numbers), terms);
            }
        }
    }

    /// Tries the matches of one term.
    fn attempt(&self, index: usize, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        let end = |index: usize| self.ends.get(index).map_or(0, |end| *end as usize);
        let from = index.checked_sub(1).map_or(0, end);
        let postings = self.postings.get(from..end(index)).unwrap_or_default();
        found.first(postings.iter().map(|postings| (postings.number, postings.second_term)), terms);
    }
}

fn without_second_term(numbers: &[u32]) -> impl Iterator<Item = (u32, Term)> {
    numbers.iter().map(|number| (*number, 0))
}

/// Groups the matches that are filed under no term. Matches that the same negation keeps out are one
/// group; of several negations it is the one that keeps out most matches.
fn negated_groups(waiting: &[(u32, Rc<IndexKeys>)]) -> Vec<NegatedGroup> {
    let mut shared = IndexByName::default();
    for negation in waiting.iter().flat_map(|(_, keys)| &keys.negations) {
        let count = shared.entry(negation.label.clone()).or_default();
        *count = count.saturating_add(1);
    }
    let count = |negation: &&Negation| shared.get(&negation.label).copied().unwrap_or_default();
    let (mut always, mut groups): (Vec<NegatedGroup>, IndexByName) = (Vec::new(), IndexByName::default());
    for (number, keys) in waiting.iter().filter(|(_, keys)| keys.ways.is_empty()) {
        let negation = keys.negations.iter().max_by_key(count).filter(|negation| count(negation) > 1);
        let new = u32::try_from(always.len()).unwrap_or_default();
        let label = negation.map(|negation| negation.label.clone()).unwrap_or_default();
        let index = *groups.entry(label).or_insert(new);
        if index == new {
            always.push(NegatedGroup { negation: negation.cloned(), numbers: Vec::new() });
        }
        if let Some(group) = always.get_mut(index as usize) {
            group.numbers.push(*number);
        }
    }
    always
}
