//! The clauses of one host and path, filed by their rarest term.

use std::rc::Rc;

use super::Found;
use super::key::{IndexKey, IndexKeys};
use super::negation::Negation;
use super::term::{ByTerm, Term};
use super::terms::{RequestTerms, TermDictionary};
use crate::language::names::Places;
use crate::order::sorted;

/// Clauses that share a host pattern and a path prefix.
#[derive(Clone, Debug, Default)]
pub(crate) enum Leaf {
    #[default]
    Empty,
    /// Clauses not filed yet.
    Waiting(Vec<(u32, Rc<IndexKeys>)>),
    /// So few that trying them is quicker than looking them up.
    Few(Box<[u32]>),
    Many(Box<Many>),
}

/// Clauses, filed by their rarest term.
#[derive(Clone, Debug, Default)]
pub(crate) struct Many {
    /// Ascending.
    terms: Box<[Term]>,
    /// Where the clauses of each term end, among `filed`.
    ends: Box<[u32]>,
    /// Clauses to try for a request with some term, ascending for each.
    filed: Box<[Filed]>,
    /// Clauses to try for every request, grouped by the negation that keeps them out together.
    always: Vec<Together>,
}

/// Clauses that no term leads to, ascending.
#[derive(Clone, Debug, Default)]
struct Together {
    bar: Option<Negation>,
    numbers: Vec<u32>,
}

/// A filed clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Filed {
    number: u32,
    /// A second term that must hold, if it is worth a lookup; else 0.
    guard: Term,
}

/// Trying so few is quicker than looking them up.
const FEW: u32 = 4;

impl Leaf {
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

    /// Tries the clauses that may match a request.
    pub(crate) fn scan(&self, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        match self {
            Self::Empty | Self::Waiting(_) => {}
            Self::Few(numbers) => found.first(unguarded(numbers), terms),
            Self::Many(many) => many.scan(terms, found),
        }
    }
}

impl Many {
    /// Files every clause under the index key that it shares with the fewest others, as an inverted
    /// index is read from its rarest term.
    fn of(waiting: &[(u32, Rc<IndexKeys>)], dictionary: &mut TermDictionary) -> Self {
        let mut shared = ByTerm::default();
        for term in waiting.iter().flat_map(|(_, keys)| &keys.ways).flat_map(|anchor| &anchor.terms) {
            let count = shared.entry(*term).or_default();
            *count = count.saturating_add(1);
        }
        let crowd = |anchor: &IndexKey| -> u32 {
            anchor.terms.iter().filter_map(|term| shared.get(term)).fold(0, |sum, n| sum.saturating_add(*n))
        };
        let mut filed: Vec<(Term, Filed)> = Vec::new();
        for (number, keys) in waiting {
            let mut rarest: Option<(u32, &IndexKey)> = None;
            let mut next: Option<(u32, &IndexKey)> = None;
            for anchor in &keys.ways {
                let crowd = crowd(anchor);
                if rarest.is_none_or(|(least, _)| crowd < least) {
                    next = rarest.replace((crowd, anchor));
                } else if next.is_none_or(|(least, _)| crowd < least) {
                    next = Some((crowd, anchor));
                }
            }
            let Some((crowd, rarest)) = rarest else { continue };
            dictionary.learn(rarest);
            let next = next.filter(|_| crowd > FEW).map(|(_, anchor)| anchor);
            let guard = next.and_then(|anchor| match &*anchor.terms {
                [term] => Some((anchor, *term)),
                _ => None,
            });
            if let Some((anchor, _)) = guard {
                dictionary.learn(anchor);
            }
            let guard = guard.map_or(0, |(_, term)| term);
            filed.extend(rarest.terms.iter().map(|term| (*term, Filed { number: *number, guard })));
        }
        drop(shared);
        let of = |place: u32| filed.get(place as usize).copied();
        let order = sorted(filed.len(), &|a, b| of(a).cmp(&of(b)));
        let mut filed: Vec<(Term, Filed)> = order.into_iter().filter_map(of).collect();
        // Texts that differ only in letter case are one term.
        filed.dedup();
        let mut many = Self { always: together(waiting), ..Self::default() };
        let (mut terms, mut ends): (Vec<Term>, Vec<u32>) = (Vec::new(), Vec::new());
        for (place, (term, _)) in (1u32..).zip(&filed) {
            if terms.last() == Some(term) {
                ends.pop();
            } else {
                terms.push(*term);
            }
            ends.push(place);
        }
        (many.terms, many.ends) = (terms.into(), ends.into());
        many.filed = filed.into_iter().map(|(_, filed)| filed).collect();
        many
    }

    fn scan(&self, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        // Loops over the shorter list. Else a path of many leaves would cost its length times the
        // query's.
        if self.terms.len() < terms.all.len() {
            for (place, term) in self.terms.iter().enumerate() {
                if terms.holds(*term) {
                    self.attempt(place, terms, found);
                }
            }
        } else {
            for place in terms.all.iter().filter_map(|term| self.terms.binary_search(term).ok()) {
                self.attempt(place, terms, found);
            }
        }
        // Last, because a clause that was found spares the clauses after it.
        for Together { bar, numbers } in &self.always {
            let is_early = numbers.first().is_some_and(|number| found.is_early(*number));
            if is_early && bar.as_ref().is_none_or(|bar| bar.admits(terms.request)) {
                found.first(unguarded(numbers), terms);
            }
        }
    }

    /// Tries the clauses of one term.
    fn attempt(&self, place: usize, terms: &RequestTerms<'_, '_>, found: &mut Found<'_>) {
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let from = place.checked_sub(1).map_or(0, end);
        let filed = self.filed.get(from..end(place)).unwrap_or_default();
        found.first(filed.iter().map(|filed| (filed.number, filed.guard)), terms);
    }
}

fn unguarded(numbers: &[u32]) -> impl Iterator<Item = (u32, Term)> {
    numbers.iter().map(|number| (*number, 0))
}

/// Groups the clauses that are filed under no term. Clauses that the same negation keeps out are one
/// group; of several negations it is the one that keeps out most clauses.
fn together(waiting: &[(u32, Rc<IndexKeys>)]) -> Vec<Together> {
    let mut shared = Places::default();
    for bar in waiting.iter().flat_map(|(_, keys)| &keys.negations) {
        let count = shared.entry(bar.label.clone()).or_default();
        *count = count.saturating_add(1);
    }
    let count = |bar: &&Negation| shared.get(&bar.label).copied().unwrap_or_default();
    let (mut always, mut groups): (Vec<Together>, Places) = (Vec::new(), Places::default());
    for (number, keys) in waiting.iter().filter(|(_, keys)| keys.ways.is_empty()) {
        let bar = keys.negations.iter().max_by_key(count).filter(|bar| count(bar) > 1);
        let new = u32::try_from(always.len()).unwrap_or_default();
        let label = bar.map(|bar| bar.label.clone()).unwrap_or_default();
        let place = *groups.entry(label).or_insert(new);
        if place == new {
            always.push(Together { bar: bar.cloned(), numbers: Vec::new() });
        }
        if let Some(group) = always.get_mut(place as usize) {
            group.numbers.push(*number);
        }
    }
    always
}
