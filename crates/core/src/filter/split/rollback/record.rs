//! What the proxy remembers of one canary.

use super::bytes::{Reader, Writer};
use super::ring::{Ring, Second};
use super::rule::Rule;
use super::score::Scores;
use super::side::Side;
use super::users::PLACES;
use super::watch::{Class, Watch};
use crate::language::modes::Mode;

/// The classes, by their numbers.
pub(super) const CLASSES: usize = Class::ALL.len();

/// What the proxy remembers of one canary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The split and the backend, as a hash.
    pub(super) id: u64,
    /// Its destination, as a hash.
    pub(super) to: u64,
    pub(super) generation: u64,
    /// Which policy was pushed last, where that matters; and since when the ramp stands until another is.
    pub(super) push: u64,
    pub(super) stands: Option<u64>,
    /// The second of its first request.
    pub(super) first: Option<u64>,
    pub(super) terms: Terms,
    /// Its part of the users in the tick that is being counted, in millionths: the greatest that any of
    /// its requests was decided by.
    pub(super) share: u64,
    pub(super) states: [State; CLASSES],
}

/// What the policy that was loaded last says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) modes: [Mode; CLASSES],
    /// Seconds.
    pub(super) warmup: u64,
    pub(super) hold: Option<u64>,
}

/// One class of a canary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) latch: Option<Latch>,
    /// When it was last logged as suspect.
    pub(super) told: u64,
    pub(super) watch: Watch,
    /// The tick that is being counted.
    pub(super) side: Side,
}

/// A canary was found to be worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latch {
    pub(super) since: u64,
    pub(super) is_enforced: bool,
}

impl Terms {
    pub(super) fn of(rule: &Rule) -> Self {
        let Rule { errors, latency, client_errors, warmup, hold, .. } = *rule;
        Self { modes: [errors, latency, client_errors], warmup, hold }
    }

    pub(super) fn mode(&self, class: usize) -> Mode {
        self.modes.get(class).copied().unwrap_or(Mode::Off)
    }
}

impl Record {
    /// The same canary under the policy that is loaded now.
    #[inline(never)]
    pub(super) fn under(&mut self, terms: Terms) {
        for (at, state) in self.states.iter_mut().enumerate() {
            let (was, is) = (self.terms.mode(at), terms.mode(at));
            let is_reported = state.latch.is_some_and(|latch| !latch.is_enforced);
            if is == Mode::Enforce && is_reported {
                state.latch = None;
                state.watch = Watch::default();
            }
            if was == Mode::Off || is == Mode::Off {
                state.watch = Watch::default();
            }
        }
        self.terms = terms;
    }

    /// Whether a class is judged at a moment.
    pub(super) fn judges(&self, class: usize, now: u64) -> bool {
        let is_warm = || {
            class != Class::Latency as usize
                || self.first.is_some_and(|first| now >= first.saturating_add(self.terms.warmup))
        };
        let is_latched = || self.states.get(class).is_none_or(|state| state.latch.is_some());
        self.terms.mode(class) != Mode::Off && !is_latched() && is_warm()
    }

    /// Ends the latches whose time is over.
    pub(super) fn release(&mut self, now: u64) {
        let Some(hold) = self.terms.hold else { return };
        for state in &mut self.states {
            if state.latch.is_some_and(|latch| now >= latch.since.saturating_add(hold)) {
                state.latch = None;
                state.watch = Watch::default();
            }
        }
    }

    /// Since when it is off for a policy that asks for this.
    pub(super) fn off(&self, terms: &Terms) -> Option<u64> {
        let enforced = self.states.iter().enumerate().filter_map(|(class, state)| {
            let latch = state.latch.filter(|latch| latch.is_enforced)?;
            (terms.mode(class) == Mode::Enforce).then_some(latch.since)
        });
        enforced.min()
    }

    pub(super) fn is_latched(&self) -> bool {
        self.states.iter().any(|state| state.latch.is_some())
    }
}

impl Record {
    pub(super) fn write(&self, to: &mut Writer) {
        let Self { id, to: destination, generation, push, stands, first, terms, share, states } = self;
        let [stands, first, hold] = [*stands, *first, terms.hold].map(Option::unwrap_or_default);
        to.all([*id, *destination, *generation, *push, stands, first, terms.warmup, hold, *share]);
        to.all(terms.modes.map(|mode| mode as u64));
        for State { latch, told, watch, side } in states {
            to.all(latch.map_or([0; 2], |latch| [latch.since, latch.is_enforced.into()]));
            to.put(*told);
            watch.write(to);
            side.write(to);
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut number = || from.number();
        let not_zero = |number: u64| (number != 0).then_some(number);
        let mut record = Self {
            id: number()?,
            to: number()?,
            generation: number()?,
            push: number()?,
            stands: not_zero(number()?),
            first: not_zero(number()?),
            terms: Terms { warmup: number()?, hold: not_zero(number()?), ..Terms::default() },
            share: number()?,
            states: Default::default(),
        };
        for mode in &mut record.terms.modes {
            let number = number()?;
            *mode = [Mode::Enforce, Mode::Report]
                .into_iter()
                .find(|mode| *mode as u64 == number)
                .unwrap_or(Mode::Off);
        }
        for state in &mut record.states {
            let (since, is_enforced) = (from.number()?, from.number()? != 0);
            state.latch = (since != 0).then_some(Latch { since, is_enforced });
            state.told = from.number()?;
            state.watch = Watch::read(from)?;
            state.side = Side::read(from)?;
        }
        Some(record)
    }
}

impl Watch {
    #[inline(never)]
    fn write(&self, to: &mut Writer) {
        to.all(self.scores.0);
        to.all([self.users.0, self.users.1, self.streak, self.last]);
        to.list(&self.ring.seconds, |to, Second { at, canary, baseline }| {
            to.all([*at, canary.0, canary.1, baseline.0, baseline.1]);
        });
    }

    #[inline(never)]
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut number = || from.number();
        let scores = Scores([number()?, number()?, number()?]);
        let (users, streak, last) = ((number()?, number()?), number()?, number()?);
        let seconds = from.list(super::ring::SECONDS_KEPT, |from| {
            let mut number = || from.number();
            Some(Second { at: number()?, canary: (number()?, number()?), baseline: (number()?, number()?) })
        })?;
        Some(Self { scores, users, streak, last, ring: Ring { seconds } })
    }
}

impl Side {
    #[inline(never)]
    pub(super) fn write(&self, to: &mut Writer) {
        to.all([self.n, self.y, self.rest]);
        to.list(&self.keys, |to, key| to.put(u64::from(*key)));
    }

    #[inline(never)]
    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (n, y, rest) = (from.number()?, from.number()?, from.number()?);
        Some(Self { n, y, rest, keys: from.list(PLACES, Reader::small)? })
    }
}
