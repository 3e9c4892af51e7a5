//! The availability guard: a canary that is not there must not cost a request.
//!
//! One state machine for each guarded backend, without clock or I/O: what happened
//! comes in with the time at which it did. It stands outside of a request, so that a
//! decision is a function of policy, state and request.
//!
//! ```text
//!            absent                     cooldown is over
//!   Open ───────────────▶ Off ─────────────────────────────▶ Trying
//!    ▲                     ▲                                   │ │
//!    │                     └───────── absent ──────────────────┘ │
//!    └──────────────── a try was served, or a probe ─────────────┘
//! ```

mod rule;
mod shared;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use crate::policy::Measurement;

pub use rule::{Probe, Rule};

/// While trying, one request in this many goes to the backend.
pub const ONE_IN: u32 = 10;
/// Milliseconds from one look at the guards to the next.
pub const TICK: u64 = 1_000;

/// The state of one backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// It serves.
    #[default]
    Open,
    /// It is switched off since then, in milliseconds; the baseline serves.
    Off(u64),
    /// As `Off`, but one request in ten tries it again: the next one after so many.
    Trying(u64, u32),
}

/// Whether a request may go to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// As ever.
    Open,
    /// To see whether it is back.
    Try,
    /// No: the baseline serves it.
    Refused,
}

impl Guard {
    /// Whether the next request may go there.
    pub fn admits(&mut self) -> Admission {
        match self {
            Self::Open => Admission::Open,
            Self::Off(_) => Admission::Refused,
            Self::Trying(_, 0) => {
                self.wait_for(ONE_IN.saturating_sub(1));
                Admission::Try
            }
            Self::Trying(_, left) => {
                let left = left.saturating_sub(1);
                self.wait_for(left);
                Admission::Refused
            }
        }
    }

    /// A request or probe found the backend absent.
    pub fn absent(&mut self, now: u64) {
        *self = Self::Off(now);
    }

    /// A try or a probe was served. (Any other request may have begun before the
    /// backend went away, and proves nothing.)
    pub fn back(&mut self) {
        *self = Self::Open;
    }

    /// Time passes: after `cooldown` milliseconds it is tried again.
    pub fn advance(&mut self, cooldown: u64, now: u64) {
        if let Self::Off(since) = *self
            // A clock that was set back must not switch a backend off for years.
            && now.abs_diff(since) >= cooldown
        {
            *self = Self::Trying(since, 0);
        }
    }

    /// Since when it is switched off.
    pub fn off_since(self) -> Option<u64> {
        match self {
            Self::Open => None,
            Self::Off(since) | Self::Trying(since, _) => Some(since),
        }
    }

    fn wait_for(&mut self, requests: u32) {
        if let Self::Trying(_, left) = self {
            *left = requests;
        }
    }
}

/// The guards of a policy in one VM.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    watched: Vec<Watched>,
    /// The gauges of backends that could be switched off and are not guarded.
    idle: Vec<usize>,
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
    pub(super) fn observe(&self, place: usize, absent: bool, tried: bool, now: u64) -> Option<Measurement> {
        let watched = self.watched.get(place).filter(|watched| watched.rule.passive)?;
        (absent || tried).then(|| watched.learn(!absent, now))
    }

    /// What became of a probe: whether the backend is there. Returns what to measure.
    pub fn probed(&self, place: usize, is_there: bool, now: u64) -> Option<Measurement> {
        let watched = self.watched.get(place)?;
        // What everybody knows is no news, but an absence must not grow old.
        let known = is_there && watched.guard.get() == Guard::Open;
        (!known).then(|| watched.learn(is_there, now))
    }

    /// Whether any backend is to be probed.
    pub fn has_probes(&self) -> bool {
        self.watched.iter().any(|watched| watched.rule.probe.is_some())
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
        self.watched.iter().any(|watched| watched.news.get())
    }

    /// What is known of all backends, once this VM has added its own to what stands
    /// in `shared`.
    pub fn tell(&self, shared: &[u8], now: u64) -> Vec<u8> {
        let news = |watched: &&Watched| watched.news.get();
        let own: Vec<_> =
            self.watched.iter().filter(news).map(|w| (w.id, w.guard.get().off_since())).collect();
        shared::merge(shared, &own, now)
    }

    /// The news has been told.
    pub fn told(&self) {
        self.watched.iter().for_each(|watched| watched.news.set(false));
    }

    /// Hears from the other VMs, and lets time pass. Returns what to measure.
    pub fn hear(&self, shared: &[u8], now: u64) -> Vec<Measurement> {
        let changed = self.watched.iter().filter(|watched| {
            let mut guard = watched.guard.get();
            let before = guard.off_since();
            if !watched.news.get() {
                let heard = shared::since(shared, watched.id);
                if heard != before {
                    guard = heard.map_or(Guard::Open, Guard::Off);
                }
            }
            // A backend that is probed comes back when a probe says so.
            if watched.rule.probe.is_none() {
                guard.advance(watched.rule.cooldown, now);
            }
            watched.guard.set(guard);
            before.is_some() != guard.off_since().is_some()
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
    fn learn(&self, is_there: bool, now: u64) -> Measurement {
        let mut guard = self.guard.get();
        if is_there {
            guard.back();
        } else {
            guard.absent(now);
        }
        self.guard.set(guard);
        self.news.set(true);
        self.gauge()
    }

    fn gauge(&self) -> Measurement {
        Measurement { series: self.gauge, value: u64::from(self.guard.get().off_since().is_some()) }
    }
}
