//! The rollback of one split in one VM.

use std::cell::{Cell, RefCell};

use super::latency::Latencies;
use super::open::Open;
use super::outcome::Outcome;
use super::record::Terms;
use super::rule::Rule;
use super::tally::Tally;
use super::watch::Class;
use crate::filter::split::served::Served;
use crate::language::modes::Mode;
use crate::order::hash_of;

/// The rollback of one split in one VM.
#[derive(Clone, Debug)]
pub(crate) struct Rolling {
    pub(super) rule: Rule,
    /// The same in every VM: the split.
    pub(super) id: u64,
    /// Its canaries, their destinations and the generation, as a hash.
    pub(super) term: u64,
    /// The policy as a whole, as a hash; 0 where a push makes no difference.
    pub(super) push: u64,
    pub(super) canaries: Vec<Canary>,
    pub(super) tally: RefCell<Tally>,
    open: RefCell<Open>,
    /// The bucket from which on a request is slow.
    pub(super) slow: Cell<Option<u8>>,
}

/// One canary of a split in one VM.
#[derive(Clone, Debug)]
pub(super) struct Canary {
    /// Its index among the backends.
    pub(super) backend: usize,
    /// The index of its first series.
    pub(super) series: usize,
    /// The same in every VM: the split and the backend.
    pub(super) id: u64,
    /// Its destination, as a hash.
    pub(super) to: u64,
    pub(super) is_off: Cell<bool>,
    /// Since when its ramp stands.
    pub(super) stands: Cell<Option<u64>>,
    /// Its share of the users, in millionths, as it was at the last tick.
    pub(super) share: Cell<u64>,
}

/// A request that is watched until its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The split.
    pub(crate) split: usize,
    /// The baseline, or a canary and the numbers after it.
    pub(super) side: usize,
    /// The series that has how many are open, of a canary.
    pub open: Option<usize>,
    /// What it counts as, if it counts.
    pub(super) counted: Option<Counts>,
}

/// What must be known of a request that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// The user; nobody, where chance decided.
    pub(super) key: Option<u32>,
    /// The share by which it was decided.
    pub(super) share: u64,
    pub(super) is_grpc: bool,
    pub(super) timed: Timed,
}

/// Whether a request is being timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    /// It does not count for latency, or has been counted.
    No,
    /// Since this moment, in microseconds; with its number among the open ones, if it has one.
    Since(u64, Option<u64>),
}

impl Rolling {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            id: 0,
            term: 0,
            push: 0,
            canaries: Vec::new(),
            tally: RefCell::default(),
            open: RefCell::default(),
            slow: Cell::default(),
        }
    }

    /// What the policy says.
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Judges this backend, whose series begin there.
    pub(crate) fn watch(&mut self, backend: usize, series: usize) {
        self.canaries.push(Canary {
            backend,
            series,
            id: 0,
            to: 0,
            is_off: Cell::default(),
            stands: Cell::default(),
            share: Cell::default(),
        });
    }

    /// Says which canaries they are: by the names of the split and of each backend, and by its destination.
    pub(crate) fn identify<'b>(
        &mut self,
        split: &str,
        backend: impl Fn(usize) -> Option<(&'b str, Vec<u8>)>,
    ) {
        self.id = hash_of(b"", split.as_bytes());
        self.term = hash_of(&self.id.to_le_bytes(), &self.rule.generation.to_le_bytes());
        for canary in &mut self.canaries {
            let Some((name, to)) = backend(canary.backend) else { continue };
            canary.id = hash_of(split.as_bytes(), name.as_bytes());
            canary.to = hash_of(b"", &to);
            let both = [self.term, canary.id, canary.to].map(u64::to_le_bytes);
            self.term = hash_of(b"", both.as_flattened());
        }
    }

    /// Says which policy it is of, if a push makes a difference: a ramp goes on after one.
    pub(crate) fn pushed(&mut self, policy: u64) {
        self.push = policy;
    }

    /// Whether a canary comes back by itself.
    pub(crate) fn comes_back(&self) -> bool {
        self.rule.hold.is_some()
    }

    pub(super) fn terms(&self) -> Terms {
        Terms::of(&self.rule)
    }

    fn canary(&self, backend: usize) -> Option<(usize, &Canary)> {
        self.canaries.iter().enumerate().find(|(_, canary)| canary.backend == backend)
    }

    /// Whether a backend is switched off.
    #[inline(never)]
    pub(crate) fn is_off(&self, backend: usize) -> bool {
        self.canary(backend).is_some_and(|(_, canary)| canary.is_off.get())
    }

    /// The time by which the ramp of a backend goes.
    #[inline(never)]
    pub(crate) fn time(&self, backend: usize, now: u64) -> u64 {
        self.canary(backend).and_then(|(_, canary)| canary.stands.get()).unwrap_or(now)
    }

    /// The index of the first series of a canary.
    pub(crate) fn series(&self, backend: usize) -> Option<usize> {
        self.canary(backend).map(|(_, canary)| canary.series)
    }

    /// Its place among the sides of the split, and by which share users are sent there.
    pub(super) fn side(&self, backend: usize, baseline: usize) -> Option<(usize, u64)> {
        if backend == baseline {
            return Some((0, 0));
        }
        self.canary(backend).map(|(at, canary)| (at.saturating_add(1), canary.share.get()))
    }

    /// Whether attempts are asked for.
    pub(super) fn counts_retries(&self) -> bool {
        self.rule.retries
    }

    pub(super) fn times(&self) -> bool {
        self.rule.latency != Mode::Off
    }
}

impl Rolling {
    /// A request that is timed begins at this microsecond.
    pub(super) fn begins(&self, side: usize, key: Option<u32>, share: u64, now: u64) -> Timed {
        Timed::Since(now, self.open.borrow_mut().begins(side, now, key, share))
    }

    /// The response is there, in this microsecond.
    #[inline(never)]
    pub(super) fn responds(&self, watched: &mut Watched, now: &dyn Fn() -> u64) {
        let side = watched.side;
        let Some(counted) = &mut watched.counted else { return };
        let Timed::Since(started, number) = std::mem::replace(&mut counted.timed, Timed::No) else { return };
        let took = now().saturating_sub(started);
        let mut tally = self.tally.borrow_mut();
        if side == 0 {
            tally.took(Latencies::bucket(took));
        }
        let was_counted = number.is_some_and(|number| !self.open.borrow_mut().ends(side, number));
        if let Some(is_slow) = self.is_slow(took).filter(|_| !was_counted) {
            tally.count(Class::Latency as usize, side, is_slow, counted.key);
            decided(&mut tally, side, counted.share);
        }
    }

    /// A request has ended; `now` is in microseconds.
    #[inline(never)]
    pub(super) fn ends(&self, watched: &Watched, served: &Served<'_>, now: &dyn Fn() -> u64) {
        let side = watched.side;
        let Some(Counts { key, share, is_grpc, timed }) = watched.counted else { return };
        let outcome = Outcome::of(served, is_grpc, self.rule.retries);
        let mut tally = self.tally.borrow_mut();
        let mut count = |class: Class, is_failing| {
            tally.count(class as usize, side, is_failing, key);
            decided(&mut tally, side, share);
        };
        if let Timed::Since(started, number) = timed {
            let was_counted = number.is_some_and(|number| !self.open.borrow_mut().ends(side, number));
            // Whoever waited for longer than the baseline takes has met a slow one.
            if !was_counted
                && outcome == Outcome::Gone
                && self.is_slow(now().saturating_sub(started)) == Some(true)
            {
                count(Class::Latency, true);
            }
        }
        if self.rule.errors != Mode::Off && outcome != Outcome::Gone {
            count(Class::Errors, outcome == Outcome::Failed);
        }
        if self.rule.client_errors != Mode::Off && matches!(outcome, Outcome::Good | Outcome::Refused) {
            count(Class::ClientErrors, outcome == Outcome::Refused);
        }
    }

    /// Whether so many microseconds are slow; nothing before it is known what is usual.
    #[inline(never)]
    fn is_slow(&self, took: u64) -> Option<bool> {
        self.slow.get().map(|slow| took > self.rule.slow_above && Latencies::bucket(took) >= slow)
    }

    /// Counts the requests that have been open for too long at this microsecond.
    pub(super) fn count_open(&self, now: u64) {
        let mut tally = self.tally.borrow_mut();
        let is_slow = |started| self.is_slow(now.saturating_sub(started)) == Some(true);
        let count = |side, key, share| {
            tally.count(Class::Latency as usize, side, true, key);
            decided(&mut tally, side, share);
        };
        self.open.borrow_mut().slow(is_slow, count);
    }
}

/// Notes by which share a request of a canary was decided.
fn decided(tally: &mut Tally, side: usize, share: u64) {
    if let Some(canary) = side.checked_sub(1) {
        tally.decided_by(canary, share);
    }
}
