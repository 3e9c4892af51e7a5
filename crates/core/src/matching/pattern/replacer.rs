//! Finds parts of a value, and rewrites them.
//!
//! Matches are found in two passes (after Frisch and Cardelli, 2004). The first pass goes back from the
//! end, and learns from which positions a match can still be completed. The second pass goes forward,
//! and always takes the preferred lead that can be completed. It never tries in vain. So each byte is
//! looked at once, whatever the expression.

use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::util::look::LookMatcher;

use super::automaton::{Automaton, Lead};
use super::relation::{Conditional, Relation, has, holds, words};
use super::sets::Classes;
use super::{nfa, too_dear};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;

/// Groups that a substitution can quote: `\0` to `\9`.
pub(super) const GROUPS: usize = 10;
/// The first pass keeps what it learns for this many bytes of a value. For the rest it keeps only what
/// it knows at the end of each block. It learns a block again when the second pass comes to it.
const BLOCK: usize = 256;

/// A regular expression that finds parts of a value and rewrites them.
#[derive(Clone, Debug)]
pub(crate) struct Replacer {
    finder: Finder,
    substitution: Vec<Part>,
}

/// A part of a substitution.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<[u8]>),
    Group(usize),
}

/// The ends of the groups of a match. A group that took no part has none.
pub(super) type Spans = [Option<usize>; GROUPS * 2];

impl Replacer {
    /// `pattern` as in [`super::Pattern`], but anywhere in the value; `substitution` quotes
    /// groups as `\1`, as Envoy and Istio write them.
    pub(crate) fn new(pattern: &str, substitution: &str) -> Result<Self, Invalid> {
        let nfa = nfa(pattern, false, WhichCaptures::All)?;
        let groups = nfa.group_info().group_len(regex_automata::PatternID::ZERO);
        let finder = Finder::of(&nfa).filter(|finder| finder.work() <= limits::REWRITE_WORK);
        Ok(Self {
            substitution: parts(substitution, groups)?,
            finder: finder.ok_or_else(|| too_dear(pattern))?,
        })
    }

    /// Bytes that it takes at most, the same on every machine.
    pub(crate) fn weight(&self) -> usize {
        let literal = |part: &Part| match part {
            Part::Literal(text) => text.len().saturating_add(32),
            Part::Group(_) => 32,
        };
        let parts = self.substitution.iter().map(literal).fold(512, usize::saturating_add);
        parts.saturating_add(self.finder.weight())
    }

    /// About the instructions that each byte of a value may take.
    pub(crate) fn work(&self) -> u64 {
        self.finder.work()
    }

    /// The value with every match replaced, as RE2's `GlobalReplace` does it. `None` if there is no
    /// match, or if the result would be too long.
    pub(crate) fn rewrite(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut search = Search::of(&self.finder, value);
        let mut written = Vec::new();
        let mut is_found = false;
        // The end of what was copied; where the next match may start; where the last match ended.
        let (mut copied, mut from, mut last) = (0, 0, None);
        while let Some(found) = search.next(from) {
            let (start, end) = (found.first().copied()??, found.get(1).copied()??);
            if start == end && last == Some(end) {
                // An empty match right after a match does not count.
                (from, last) = (from.saturating_add(1), None);
                continue;
            }
            is_found = true;
            written.extend_from_slice(value.get(copied..start)?);
            self.substitute(&found, value, &mut written);
            if written.len() > limits::VALUE_BYTES.saturating_add(value.len()) {
                return None;
            }
            (copied, from, last) = (end, end, Some(end));
        }
        written.extend_from_slice(value.get(copied..)?);
        is_found.then_some(written)
    }

    fn substitute(&self, found: &Spans, value: &[u8], written: &mut Vec<u8>) {
        for part in &self.substitution {
            match part {
                Part::Literal(text) => written.extend_from_slice(text),
                Part::Group(group) => written.extend_from_slice(of_group(found, *group, value)),
            }
        }
    }
}

/// What a group of a match matched in a value.
pub(super) fn of_group<'v>(found: &Spans, group: usize, value: &'v [u8]) -> &'v [u8] {
    let slot = group.saturating_mul(2);
    let end = |slot: usize| found.get(slot).copied().flatten();
    let span = end(slot).zip(end(slot.saturating_add(1)));
    span.and_then(|(start, end)| value.get(start..end)).unwrap_or_default()
}

/// An expression to search for.
#[derive(Clone, Debug)]
pub(super) struct Finder {
    automaton: Automaton,
    classes: Classes,
    /// Positions are numbered from the end here, so that going back is a step forward.
    masks: Vec<u64>,
    relation: Relation,
    /// Positions after which a match may end.
    ends: Vec<u64>,
    looker: LookMatcher,
}

impl Finder {
    pub(super) fn of(nfa: &NFA) -> Option<Self> {
        let automaton = Automaton::of(nfa)?;
        let classes = Classes::of(nfa);
        let end = automaton.end();
        let back = |index: usize| end.saturating_sub(index).saturating_sub(1);
        let mut ends = vec![0; words(end)];
        let mut conditional = Vec::new();
        for (from, lead) in automaton.all() {
            if !lead.looks.is_empty() {
                let ahead = Some(lead.to).filter(|to| *to < end).map(back);
                conditional.push(Conditional { from: ahead, to: back(from), looks: lead.looks });
            } else if lead.to == end {
                super::relation::set(&mut ends, back(from));
            }
        }
        let free = automaton.all().filter(|(_, lead)| lead.to < end && lead.looks.is_empty());
        Some(Self {
            relation: Relation::of(end, free.map(|(from, lead)| (back(lead.to), back(from))), conditional),
            masks: classes.masks(&automaton, back),
            ends,
            classes,
            looker: nfa.look_matcher().clone(),
            automaton,
        })
    }

    pub(super) fn weight(&self) -> usize {
        let Self { automaton, masks, relation, ends, .. } = self;
        let words = masks.len().saturating_add(ends.len()).saturating_mul(8);
        words.saturating_add(relation.weight()).saturating_add(automaton.weight())
    }

    /// About the instructions for one byte: back twice, forward once.
    pub(super) fn work(&self) -> u64 {
        let most = self.automaton.leads.iter().map(Vec::len).max().unwrap_or_default() as u64;
        let words = words(self.automaton.end()) as u64;
        let back = self.relation.work().saturating_add(words.saturating_mul(150));
        back.saturating_mul(2).saturating_add(1_300).saturating_add(most.saturating_mul(60))
    }

    /// From the positions that can be completed at `at` + 1 to those that can be completed at `at`.
    fn back(&self, value: &[u8], at: usize, ahead: &[u64], now: &mut [u64]) {
        self.relation.step_at(ahead, now, &self.looker, value, at.saturating_add(1));
        let class = value.get(at).map_or(0, |byte| self.classes.get(*byte));
        let masks = self.masks.chunks_exact(now.len()).nth(class).unwrap_or_default();
        for ((word, ends), mask) in now.iter_mut().zip(&self.ends).zip(masks) {
            *word = (*word | ends) & mask;
        }
    }
}

/// A search for one match after another.
pub(super) struct Search<'s> {
    finder: &'s Finder,
    value: &'s [u8],
    words: usize,
    /// The positions that can be completed at the start of each block but the first, and at the end.
    checkpoints: Vec<u64>,
    /// The block that `alive` is about.
    block: Option<usize>,
    /// The positions that can be completed at each place of a block, and at the place after it.
    alive: Vec<u64>,
}

impl<'s> Search<'s> {
    pub(super) fn of(finder: &'s Finder, value: &'s [u8]) -> Self {
        let words = words(finder.automaton.end());
        let blocks = (value.len() / BLOCK).saturating_add(1);
        let room = BLOCK.min(value.len()).saturating_add(1).saturating_mul(words);
        let mut search = Self {
            finder,
            value,
            words,
            checkpoints: vec![0; blocks.saturating_mul(words)],
            block: None,
            alive: vec![0; room],
        };
        // The last block's checkpoint is empty: no position takes a byte after the end.
        for block in (0..blocks).rev() {
            search.complete(block);
            let first = search.alive.get(..words).unwrap_or_default().to_vec();
            if let Some(before) = block.checked_sub(1)
                && let Some(checkpoint) = search.checkpoints.chunks_exact_mut(words).nth(before)
            {
                checkpoint.copy_from_slice(&first);
            }
        }
        search
    }

    /// Finds which positions can be completed in a block.
    fn complete(&mut self, block: usize) {
        let start = block.saturating_mul(BLOCK);
        let length = self.value.len().saturating_sub(start).min(BLOCK);
        let end = length.saturating_mul(self.words);
        let ahead = self.checkpoints.chunks_exact(self.words).nth(block);
        if let (Some(ahead), Some(last)) = (ahead, self.alive.get_mut(end..end.saturating_add(self.words))) {
            last.copy_from_slice(ahead);
        }
        for at in (0..length).rev() {
            let index = at.saturating_mul(self.words);
            let pair = self.alive.get_mut(index..index.saturating_add(self.words.saturating_mul(2)));
            let Some((now, ahead)) = pair.and_then(|pair| pair.split_at_mut_checked(self.words)) else {
                break;
            };
            self.finder.back(self.value, start.saturating_add(at), ahead, now);
        }
        self.block = Some(block);
    }

    /// The preferred lead that can be completed at a place.
    fn lead<'l>(&mut self, leads: &'l [Lead], at: usize) -> Option<&'l Lead> {
        let block = at / BLOCK;
        if self.block != Some(block) {
            self.complete(block);
        }
        let end = self.finder.automaton.end();
        let index = (at % BLOCK).saturating_mul(self.words);
        let alive = self.alive.get(index..index.saturating_add(self.words)).unwrap_or_default();
        leads.iter().find(|lead| {
            let back = || end.saturating_sub(lead.to).saturating_sub(1);
            (lead.to == end || has(alive, back())) && holds(lead.looks, &self.finder.looker, self.value, at)
        })
    }

    /// The first match that starts at `from` or later.
    pub(super) fn next(&mut self, from: usize) -> Option<Spans> {
        let finder = self.finder;
        let end = finder.automaton.end();
        let start = finder.automaton.start();
        let (mut at, mut lead) =
            (from..=self.value.len()).find_map(|at| Some((at, self.lead(start, at)?)))?;
        let mut spans = Spans::default();
        loop {
            for slot in &lead.slots {
                if let Some(slot) = spans.get_mut(usize::from(*slot)) {
                    *slot = Some(at);
                }
            }
            if lead.to == end {
                return Some(spans);
            }
            at = at.saturating_add(1);
            lead = self.lead(finder.automaton.leads.get(lead.to)?, at)?;
        }
    }
}

/// The parts of a substitution: `\0` to `\9` are groups, `\\\\` is a backslash.
fn parts(substitution: &str, groups: usize) -> Result<Vec<Part>, Invalid> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut chars = substitution.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            literal.push(c);
            continue;
        }
        let next = chars.next();
        let group = next.and_then(|c| c.to_digit(10)).and_then(|digit| usize::try_from(digit).ok());
        match (next, group.filter(|group| *group < groups)) {
            (Some('\\'), _) => literal.push('\\'),
            (_, Some(group)) => {
                parts.push(Part::Literal(std::mem::take(&mut literal).into_bytes().into()));
                parts.push(Part::Group(group));
            }
            (other, None) => {
                return Err(Invalid::new(
                    Code::BadRegex,
                    format!("\"\\{0}\": the expression has no group {0}", other.unwrap_or(' ')),
                    format!("groups are \\0 to \\{}; a backslash is \\\\", groups.saturating_sub(1)),
                ));
            }
        }
    }
    parts.push(Part::Literal(literal.into_bytes().into()));
    Ok(parts)
}
