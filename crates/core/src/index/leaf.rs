//! The clauses of one host and path, filed by their rarest fact.

use std::rc::Rc;

use super::ByFact;
use super::anchor::{Anchor, Anchors};
use super::bar::Bar;
use super::facts::{Fact, Facts, Vocabulary};
use crate::names::Places;

/// Clauses that share a host pattern and a path prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    /// Where the clauses with a fact are, among `lists`.
    filed: ByFact,
    /// Clauses to try for a request with some fact, ascending.
    lists: Vec<Vec<Filed>>,
    /// Clauses to try for every request, by what keeps them out together.
    always: Vec<Together>,
    /// Clauses not filed yet.
    waiting: Vec<(u32, Rc<Anchors>)>,
}

/// Clauses that no fact leads to, ascending.
#[derive(Clone, Debug, Default)]
struct Together {
    bar: Option<Bar>,
    numbers: Vec<u32>,
}

/// A filed clause.
#[derive(Clone, Copy, Debug)]
struct Filed {
    number: u32,
    /// A second fact that must hold, if one is worth asking for.
    guard: Option<Fact>,
}

impl Leaf {
    pub(crate) fn insert(&mut self, number: u32, anchors: &Rc<Anchors>) {
        self.waiting.push((number, Rc::clone(anchors)));
    }

    /// Files every clause under the anchor that it shares with the fewest others, as
    /// an inverted index is read from its rarest term.
    pub(crate) fn finish(&mut self, vocabulary: &mut Vocabulary) {
        /// So few are tried sooner than looked up.
        const FEW: u32 = 4;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.len() <= FEW as usize {
            let numbers = waiting.iter().map(|(number, _)| *number).collect();
            self.always.push(Together { bar: None, numbers });
            return;
        }
        self.bar(&waiting);
        let mut shared = ByFact::default();
        for fact in waiting.iter().flat_map(|(_, anchors)| &anchors.ways).flat_map(|anchor| &anchor.facts) {
            let count = shared.entry(*fact).or_default();
            *count = count.saturating_add(1);
        }
        let crowd = |anchor: &Anchor| -> u32 {
            anchor.facts.iter().filter_map(|fact| shared.get(fact)).fold(0, |sum, n| sum.saturating_add(*n))
        };
        for (number, anchors) in &waiting {
            let mut rarest: Option<(u32, &Anchor)> = None;
            let mut next: Option<(u32, &Anchor)> = None;
            for anchor in &anchors.ways {
                let crowd = crowd(anchor);
                if rarest.is_none_or(|(least, _)| crowd < least) {
                    next = rarest.replace((crowd, anchor));
                } else if next.is_none_or(|(least, _)| crowd < least) {
                    next = Some((crowd, anchor));
                }
            }
            let Some((crowd, rarest)) = rarest else { continue };
            vocabulary.learn(rarest);
            let next = next.filter(|_| crowd > FEW).map(|(_, anchor)| anchor);
            let guard = next.and_then(|anchor| match &*anchor.facts {
                [fact] => Some((anchor, *fact)),
                _ => None,
            });
            if let Some((anchor, _)) = guard {
                vocabulary.learn(anchor);
            }
            let filed = Filed { number: *number, guard: guard.map(|(_, fact)| fact) };
            for fact in &rarest.facts {
                let new = u32::try_from(self.lists.len()).unwrap_or_default();
                let place = *self.filed.entry(*fact).or_insert(new);
                if place == new {
                    self.lists.push(Vec::new());
                }
                // Texts that differ in letter case are one fact.
                if let Some(list) = self.lists.get_mut(place as usize)
                    && list.last().is_none_or(|last| last.number != *number)
                {
                    list.push(filed);
                }
            }
        }
    }

    /// Puts clauses that are filed under no fact together with those that the same condition keeps
    /// out: the one that keeps out most.
    fn bar(&mut self, waiting: &[(u32, Rc<Anchors>)]) {
        let mut shared = Places::default();
        for bar in waiting.iter().flat_map(|(_, anchors)| &anchors.bars) {
            let count = shared.entry(bar.label.clone()).or_default();
            *count = count.saturating_add(1);
        }
        let count = |bar: &&Bar| shared.get(&bar.label).copied().unwrap_or_default();
        let mut groups = Places::default();
        for (number, anchors) in waiting.iter().filter(|(_, anchors)| anchors.ways.is_empty()) {
            let bar = anchors.bars.iter().max_by_key(count).filter(|bar| count(bar) > 1);
            let new = u32::try_from(self.always.len()).unwrap_or_default();
            let label = bar.map(|bar| bar.label.clone()).unwrap_or_default();
            let place = *groups.entry(label).or_insert(new);
            if place == new {
                self.always.push(Together { bar: bar.cloned(), numbers: Vec::new() });
            }
            if let Some(group) = self.always.get_mut(place as usize) {
                group.numbers.push(*number);
            }
        }
    }

    /// Lowers `best` to the first clause here for which `verify` holds.
    pub(crate) fn scan(&self, facts: &Facts<'_, '_>, verify: &impl Fn(u32) -> bool, best: &mut Option<u32>) {
        if !self.filed.is_empty() {
            let places = facts.all.iter().filter_map(|fact| self.filed.get(fact));
            for list in places.filter_map(|place| self.lists.get(*place as usize)) {
                let may_hold = |filed: &&Filed| filed.guard.is_none_or(|fact| facts.may_hold(fact));
                first(list.iter().filter(may_hold).map(|filed| filed.number), verify, best);
            }
        }
        // Last: what was found spares what comes behind it.
        for Together { bar, numbers } in &self.always {
            let is_early = numbers.first().is_some_and(|number| best.is_none_or(|best| *number < best));
            if is_early && bar.as_ref().is_none_or(|bar| bar.admits(facts.request)) {
                first(numbers.iter().copied(), verify, best);
            }
        }
    }
}

fn first(clauses: impl Iterator<Item = u32>, verify: &impl Fn(u32) -> bool, best: &mut Option<u32>) {
    let bound = *best;
    let found = clauses.take_while(|number| bound.is_none_or(|best| *number < best));
    if let Some(found) = found.into_iter().find(|number| verify(*number)) {
        *best = Some(found);
    }
}
