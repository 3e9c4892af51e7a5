//! The availability guard: a canary that is not there must not cost a request.
//!
//! One state machine for each guarded backend ([`Guard`]). It stands outside of a request,
//! so that a decision is a function of policy, state and request.

mod rule;
mod shared;
mod state;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use super::bucket;
use crate::policy::Measurement;

pub use rule::{Probe, Rule};
pub use state::{Absence, Admission, Guard, ONE_IN, Outcome};

/// Milliseconds from one look at the guards to the next.
pub const TICK: u64 = 1_000;

/// The guards of a policy in one VM.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    watched: Vec<Watched>,
    /// The gauges of backends that could be switched off and are not guarded.
    idle: Vec<usize>,
    /// Whether any of them has news: asked after every request.
    news: Cell<bool>,
    /// Stands for what is probed, and how; 0 if nothing is.
    probes: u64,
}

/// One backend under guard.
#[derive(Clone, Debug)]
struct Watched {
    /// The same in every VM and for every policy that names split and backend so.
    id: u64,
    rule: Rule,
    /// The series that is 1 while the backend is switched off.
    gauge: usize,
    guard: Cell<Guard>,
    /// Whether the other VMs have yet to hear of it.
    news: Cell<bool>,
    /// When it was last asked.
    probed: Cell<u64>,
}

impl Guards {
    pub(super) fn watch(&mut self, id: u64, rule: Rule, gauge: usize) -> usize {
        if let Some(probe) = &rule.probe {
            self.probes = bucket::hash(&self.probes.to_le_bytes(), &probe.bytes(id));
        }
        self.watched.push(Watched {
            id,
            rule,
            gauge,
            guard: Cell::default(),
            news: Cell::default(),
            probed: Cell::default(),
        });
        self.watched.len().saturating_sub(1)
    }

    pub(super) fn leave_alone(&mut self, gauge: usize) {
        self.idle.push(gauge);
    }

    /// Whether nothing is guarded.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    pub(super) fn admits(&self, place: usize) -> Admission {
        let Some(watched) = self.watched.get(place) else { return Admission::Open };
        let mut guard = watched.guard.get();
        let admission = guard.admits();
        watched.guard.set(guard);
        admission
    }

    /// What became of a request that went to a backend. Returns what to measure.
    pub(super) fn observe(
        &self,
        place: usize,
        outcome: Outcome,
        tried: bool,
        now: u64,
    ) -> Option<Measurement> {
        let watched = self.watched.get(place).filter(|watched| watched.rule.passive)?;
        match outcome {
            Outcome::Absent => Some(self.learn(watched, Some(Absence { since: now, probed: false }))),
            Outcome::Served if tried => Some(self.learn(watched, None)),
            Outcome::Served | Outcome::Unknown => None,
        }
    }

    /// What became of a probe: whether the backend is there. Returns what to measure.
    pub fn probed(&self, place: usize, is_there: bool, now: u64) -> Option<Measurement> {
        let watched = self.watched.get(place)?;
        if !is_there {
            // Everybody may know, but an absence must not grow old.
            return Some(self.learn(watched, Some(Absence { since: now, probed: true })));
        }
        // What a request found absent is not proved by a probe: its way may be another.
        let ends = watched.guard.get().absence().is_some_and(|absence| absence.probed);
        ends.then(|| self.learn(watched, None))
    }

    fn learn(&self, watched: &Watched, absence: Option<Absence>) -> Measurement {
        let mut guard = watched.guard.get();
        match absence {
            Some(absence) => guard.absent(absence),
            None => guard.back(),
        }
        watched.guard.set(guard);
        watched.news.set(true);
        self.news.set(true);
        watched.gauge()
    }

    /// Whether any backend is to be probed.
    pub fn has_probes(&self) -> bool {
        self.probes != 0
    }

    /// A number that stands for what is probed, and how: the same for policies that
    /// probe the same.
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// The probes that are due at this tick: each when its time is nearer to this one
    /// than to the next. A timer that fires a millisecond early must not cost a tick.
    pub fn due(&self, now: u64) -> impl Iterator<Item = (usize, &Probe)> {
        let near = now.saturating_add(TICK / 2);
        self.watched.iter().enumerate().filter_map(move |(place, watched)| {
            let probe = watched.rule.probe.as_ref()?;
            let last = watched.probed.get();
            // A clock that was set back must not silence a probe for years.
            (near.saturating_sub(last) >= probe.every || now < last).then(|| {
                watched.probed.set(now);
                (place, probe)
            })
        })
    }

    /// Whether there is anything that the other VMs of this proxy have yet to hear.
    pub fn has_news(&self) -> bool {
        self.news.get()
    }

    /// What is known of all backends, once this VM has added its own to what stands
    /// in `shared`.
    pub fn tell(&self, shared: &[u8], now: u64) -> Vec<u8> {
        let news = |watched: &&Watched| watched.news.get();
        let own: Vec<_> = self.watched.iter().filter(news).map(|w| (w.id, w.guard.get().absence())).collect();
        shared::merge(shared, &own, now)
    }

    /// The news has been told.
    pub fn told(&self) {
        self.watched.iter().for_each(|watched| watched.news.set(false));
        self.news.set(false);
    }

    /// Hears from the other VMs, and lets time pass. Returns what to measure.
    pub fn hear(&self, shared: &[u8], now: u64) -> Vec<Measurement> {
        let changed = self.watched.iter().filter(|watched| {
            let mut guard = watched.guard.get();
            let before = guard.absence();
            if !watched.news.get() {
                let heard = shared::absence(shared, watched.id);
                if heard != before {
                    guard = heard.map_or(Guard::Open, Guard::Off);
                }
            }
            // What a probe found absent comes back when a probe says so. Before a request
            // tries, a probe has had its time to say that it is not there.
            match (&watched.rule.probe, guard.absence()) {
                (Some(probe), Some(Absence { probed: false, .. })) => {
                    guard.advance(watched.rule.cooldown.max(probe.every), now);
                }
                (Some(_), _) => {}
                (None, _) => guard.advance(watched.rule.cooldown, now),
            }
            watched.guard.set(guard);
            before.is_some() != guard.absence().is_some()
        });
        changed.map(Watched::gauge).collect()
    }

    /// The gauges of all backends, as they stand: one of an older policy may say else.
    pub fn gauges(&self) -> Vec<Measurement> {
        let idle = self.idle.iter().map(|series| Measurement { series: *series, value: 0 });
        self.watched.iter().map(Watched::gauge).chain(idle).collect()
    }
}

impl Watched {
    fn gauge(&self) -> Measurement {
        Measurement { series: self.gauge, value: u64::from(self.guard.get().absence().is_some()) }
    }
}
