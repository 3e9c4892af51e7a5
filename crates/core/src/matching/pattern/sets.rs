//! Matches with sets of positions: each byte costs the same, whatever the value.

use regex_automata::nfa::thompson::NFA;
use regex_automata::util::look::{Look, LookMatcher, LookSet};

use super::automaton::{Automaton, Lead};
use super::relation::{Conditional, Relation, has, holds, set, words};

/// What holds before the first byte of every value.
const STARTS: LookSet = LookSet { bits: Look::Start as u32 | Look::StartLF as u32 | Look::StartCRLF as u32 };
/// What holds after the last byte of every value.
const ENDS: LookSet = LookSet { bits: Look::End as u32 | Look::EndLF as u32 | Look::EndCRLF as u32 };

/// An expression as sets of positions.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    pub(super) classes: Classes,
    /// For each class of bytes the positions that take it.
    masks: Vec<u64>,
    words: usize,
    relation: Relation,
    start: Vec<Lead>,
    end: usize,
    /// The positions after which a match may end.
    accepts: Vec<u64>,
    accepts_if: Vec<Conditional>,
    looker: LookMatcher,
}

/// Classes of bytes: no position distinguishes the bytes of a class.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    of: [u8; 256],
    pub(super) count: usize,
}

impl Classes {
    pub(super) fn of(nfa: &NFA) -> Self {
        let mut of = [0; 256];
        for (class, byte) in of.iter_mut().zip(0..=u8::MAX) {
            *class = nfa.byte_classes().get(byte);
        }
        let count = of.iter().copied().max().map_or(1, |most| usize::from(most).saturating_add(1));
        Self { of, count }
    }

    pub(super) fn get(&self, byte: u8) -> usize {
        // An array of 256: a byte is always in it.
        self.of.get(usize::from(byte)).copied().map_or(0, usize::from)
    }

    /// The bytes of a class.
    pub(super) fn bytes(&self, class: usize) -> impl Iterator<Item = u8> {
        self.of.iter().zip(0..=u8::MAX).filter(move |(of, _)| usize::from(**of) == class).map(|(_, b)| b)
    }

    /// For each class the positions that take it, one set after the other. `number` gives a position's
    /// number.
    pub(super) fn masks(&self, automaton: &Automaton, number: impl Fn(usize) -> usize) -> Vec<u64> {
        let words = words(automaton.end());
        let mut masks = vec![0; words.saturating_mul(self.count)];
        for (class, mask) in masks.chunks_exact_mut(words).enumerate() {
            let Some(byte) = self.bytes(class).next() else { continue };
            for (index, bytes) in automaton.positions.iter().enumerate() {
                if bytes.contains(byte) {
                    set(mask, number(index));
                }
            }
        }
        masks
    }
}

impl Sets {
    /// Bytes that it takes at most.
    pub(super) fn weight(&self) -> usize {
        let words = self.masks.len().saturating_add(self.accepts.len()).saturating_mul(8);
        let leads = self.start.len().saturating_mul(48);
        let conditional = self.accepts_if.len().saturating_mul(40);
        let own = words.saturating_add(leads).saturating_add(conditional).saturating_add(512);
        own.saturating_add(self.relation.weight())
    }

    pub(super) fn of(nfa: &NFA, automaton: &Automaton) -> Self {
        let end = automaton.end();
        let classes = Classes::of(nfa);
        let inner = || automaton.all().filter(|(_, lead)| lead.to < end);
        let conditional =
            |(from, lead): (usize, &Lead)| Conditional { from: Some(from), to: lead.to, looks: lead.looks };
        let is_free = |(_, lead): &(usize, &Lead)| lead.looks.is_empty();
        let mut accepts = vec![0; words(end)];
        for (from, _) in automaton.all().filter(|(_, lead)| lead.to == end).filter(is_free) {
            set(&mut accepts, from);
        }
        Self {
            masks: classes.masks(automaton, |index| index),
            classes,
            words: words(end),
            relation: Relation::of(
                end,
                inner().filter(is_free).map(|(from, lead)| (from, lead.to)),
                inner().filter(|pair| !is_free(pair)).map(conditional).collect(),
            ),
            start: automaton.start().to_vec(),
            end,
            accepts,
            accepts_if: automaton
                .all()
                .filter(|(_, lead)| lead.to == end)
                .filter(|pair| !is_free(pair))
                .map(conditional)
                .collect(),
            looker: nfa.look_matcher().clone(),
        }
    }

    /// The positions in which a value may start.
    pub(super) fn start(&self, value: &[u8]) -> Vec<u64> {
        let mut start = vec![0; self.words];
        for lead in self.start.iter().filter(|lead| holds(lead.looks, &self.looker, value, 0)) {
            set(&mut start, lead.to);
        }
        start
    }

    /// Keeps only the positions of a set that take a byte of the class, and returns whether any are
    /// left.
    pub(super) fn take(&self, positions: &mut [u64], class: usize) -> bool {
        let masks = self.masks.chunks_exact(self.words).nth(class).unwrap_or_default();
        let mut any = 0;
        for (word, mask) in positions.iter_mut().zip(masks) {
            *word &= mask;
            any |= *word;
        }
        any != 0
    }

    /// The positions that follow these.
    pub(super) fn step(&self, from: &[u64], to: &mut [u64]) {
        self.relation.step(from, to);
    }

    /// Whether a value may end after one of these positions.
    pub(super) fn accepts(&self, positions: &[u64], value: &[u8]) -> bool {
        positions.iter().zip(&self.accepts).any(|(word, accepts)| word & accepts != 0)
            || self.accepts_if.iter().any(|last| {
                last.from.is_some_and(|from| has(positions, from))
                    && holds(last.looks, &self.looker, value, value.len())
            })
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        if value.is_empty() {
            let mut leads = self.start.iter().filter(|lead| lead.to == self.end);
            return leads.any(|lead| holds(lead.looks, &self.looker, value, 0));
        }
        let mut now = self.start(value);
        let mut next = vec![0; self.words];
        for (at, byte) in value.iter().enumerate() {
            if at > 0 {
                self.relation.step_at(&now, &mut next, &self.looker, value, at);
                std::mem::swap(&mut now, &mut next);
            }
            if !self.take(&mut now, self.classes.get(*byte)) {
                return false;
            }
        }
        self.accepts(&now, value)
    }

    /// Whether the next positions depend only on the position, except at the ends of the value.
    pub(super) fn is_unconditional(&self) -> bool {
        let within = |looks: LookSet, allowed| looks.subtract(allowed).is_empty();
        self.relation.is_unconditional()
            && self.start.iter().all(|lead| lead.to == self.end || within(lead.looks, STARTS))
            && self.accepts_if.iter().all(|last| within(last.looks, ENDS))
    }

    /// About the instructions for one byte.
    pub(super) fn work(&self) -> u64 {
        self.relation.work().saturating_add((self.words as u64).saturating_mul(30)).saturating_add(80)
    }
}
