//! An expression as positions (Glushkov, 1961): the places in it that take a byte, and which of them
//! may follow which. Every move takes a byte, so a step works on sets of bits.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::{Look, LookSet};
use regex_automata::util::primitives::StateID;

/// Positions of one expression: a set of them is at most sixteen words.
pub(super) const POSITIONS: usize = 1024;
/// Steps to find the leads of one expression: `(a?){500}` has about as many as the square of 500.
const STEPS: usize = 32 * 1024;

/// An expression as positions.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    pub(super) positions: Vec<Bytes>,
    /// Where each position leads, the preferred lead first. The last entry is for the start of a match.
    pub(super) leads: Vec<Vec<Lead>>,
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bytes([u64; 4]);

/// What may come next.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// A position. The number of positions means that the match ends.
    pub(super) to: usize,
    /// What must hold between the bytes.
    pub(super) looks: LookSet,
    /// Ends of groups that are here.
    pub(super) slots: Box<[u8]>,
}

impl Automaton {
    /// Bytes that it takes at most.
    pub(super) fn weight(&self) -> usize {
        let lead = |lead: &Lead| lead.slots.len().saturating_add(48);
        let leads = self.leads.iter().flatten().map(lead).fold(0, usize::saturating_add);
        leads.saturating_add(self.leads.len().saturating_add(self.positions.len()).saturating_mul(32))
    }

    /// The positions of an expression, if it is small enough.
    pub(super) fn of(nfa: &NFA) -> Option<Self> {
        let positions = Positions::of(nfa)?;
        let mut left = STEPS;
        let mut leads = Vec::with_capacity(positions.next.len().saturating_add(1));
        for from in positions.next.iter().copied().chain([nfa.start_anchored()]) {
            leads.push(positions.leads(nfa, from, &mut left)?);
        }
        // After a byte the value cannot start, and before one it cannot end.
        let end = positions.next.len();
        for (from, leads) in leads.iter_mut().enumerate() {
            leads.retain(|lead| {
                let is_late = from < end && lead.looks.contains(Look::Start);
                let is_early = lead.to < end && lead.looks.contains(Look::End);
                !is_late && !is_early
            });
        }
        Some(Self { positions: positions.bytes, leads })
    }

    /// The number that means the end of a match.
    pub(super) fn end(&self) -> usize {
        self.positions.len()
    }

    /// Where a match starts.
    pub(super) fn start(&self) -> &[Lead] {
        self.leads.last().map(Vec::as_slice).unwrap_or_default()
    }

    /// Every lead from a position, with that position.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Lead)> {
        let positions = self.leads.iter().take(self.end()).enumerate();
        positions.flat_map(|(from, leads)| leads.iter().map(move |lead| (from, lead)))
    }
}

impl Bytes {
    fn insert(&mut self, from: u8, to: u8) {
        for byte in from..=to {
            if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
                *word |= bit(usize::from(byte));
            }
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte >> 6)).is_some_and(|word| word & bit(usize::from(byte)) != 0)
    }
}

/// The bit of a number in its word.
pub(super) fn bit(number: usize) -> u64 {
    1u64.wrapping_shl(u32::try_from(number & 63).unwrap_or_default())
}

/// Positions while they are made.
struct Positions {
    /// The first position and the number of positions of each state.
    of: Vec<(usize, usize)>,
    bytes: Vec<Bytes>,
    next: Vec<StateID>,
}

impl Positions {
    fn of(nfa: &NFA) -> Option<Self> {
        let mut positions =
            Self { of: Vec::with_capacity(nfa.states().len()), bytes: Vec::new(), next: Vec::new() };
        let reached = reached(nfa);
        for (state, is_reached) in nfa.states().iter().zip(reached) {
            let first = positions.next.len();
            if is_reached {
                match state {
                    State::ByteRange { trans } => positions.add(first, trans.start, trans.end, trans.next),
                    State::Sparse(sparse) => {
                        for trans in &sparse.transitions {
                            positions.add(first, trans.start, trans.end, trans.next);
                        }
                    }
                    State::Dense(dense) => {
                        for (byte, next) in (0..=u8::MAX).zip(&dense.transitions) {
                            if *next != StateID::ZERO {
                                positions.add(first, byte, byte, *next);
                            }
                        }
                    }
                    _ => {}
                }
            }
            positions.of.push((first, positions.next.len().saturating_sub(first)));
            if positions.next.len() > POSITIONS {
                return None;
            }
        }
        Some(positions)
    }

    /// Adds bytes to the position of a state that leads to `next`.
    fn add(&mut self, first: usize, from: u8, to: u8, next: StateID) {
        let known = self.next.iter().skip(first).position(|other| *other == next);
        let index = first.saturating_add(known.unwrap_or(self.next.len().saturating_sub(first)));
        if known.is_none() {
            self.next.push(next);
            self.bytes.push(Bytes::default());
        }
        if let Some(bytes) = self.bytes.get_mut(index) {
            bytes.insert(from, to);
        }
    }

    /// The states that can follow `from`, the preferred first; each state once.
    fn leads(&self, nfa: &NFA, from: StateID, left: &mut usize) -> Option<Vec<Lead>> {
        let mut leads = Vec::new();
        let mut seen = vec![false; nfa.states().len()];
        // States that were seen only under a condition.
        let mut seen_if: Vec<(StateID, LookSet)> = Vec::new();
        let mut open = vec![(from, LookSet::empty(), Vec::new())];
        while let Some((id, looks, mut slots)) = open.pop() {
            let seen = seen.get_mut(id.as_usize())?;
            if *seen || seen_if.contains(&(id, looks)) {
                continue;
            }
            if looks.is_empty() {
                *seen = true;
            } else {
                seen_if.push((id, looks));
            }
            let end = self.next.len();
            match nfa.state(id) {
                State::Union { alternates } => {
                    open.extend(alternates.iter().rev().map(|next| (*next, looks, slots.clone())));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    open.push((*alt2, looks, slots.clone()));
                    open.push((*alt1, looks, slots));
                }
                State::Look { look, next } => open.push((*next, looks.insert(*look), slots)),
                State::Capture { next, slot, .. } => {
                    slots.extend(u8::try_from(slot.as_usize()).ok());
                    open.push((*next, looks, slots));
                }
                State::Fail => {}
                state => {
                    let (first, count) = self.of.get(id.as_usize()).copied()?;
                    let is_match = matches!(state, State::Match { .. });
                    let all = if is_match {
                        end..end.saturating_add(1)
                    } else {
                        first..first.saturating_add(count)
                    };
                    for to in all {
                        leads.push(Lead { to, looks, slots: slots.as_slice().into() });
                    }
                }
            }
            *left = left.checked_sub(seen_if.len().saturating_add(1))?;
        }
        Some(leads)
    }
}

/// The states that a match can reach from its start.
fn reached(nfa: &NFA) -> Vec<bool> {
    let mut reached = vec![false; nfa.states().len()];
    let mut open = vec![nfa.start_anchored()];
    while let Some(id) = open.pop() {
        let Some(known) = reached.get_mut(id.as_usize()).filter(|known| !**known) else { continue };
        *known = true;
        match nfa.state(id) {
            State::ByteRange { trans } => open.push(trans.next),
            State::Sparse(sparse) => open.extend(sparse.transitions.iter().map(|trans| trans.next)),
            State::Dense(dense) => {
                open.extend(dense.transitions.iter().filter(|next| **next != StateID::ZERO));
            }
            State::Look { next, .. } | State::Capture { next, .. } => open.push(*next),
            State::Union { alternates } => open.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => open.extend([*alt1, *alt2]),
            State::Fail | State::Match { .. } => {}
        }
    }
    reached
}
