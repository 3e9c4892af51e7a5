//! The availability guard: a canary that is not there must not cost a request.
//!
//! There is one state machine for each port of a guarded backend ([`Guard`]). It lives outside of a
//! request, so that a decision is a function of policy, state and request.

mod rule;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod watched;

use std::cell::Cell;

use self::shared::Subject;
use self::watched::Watched;
use crate::language::limits::GUARD_TICK;
use crate::order::{hash_of, merged};
use crate::policy::series::Measurement;

pub(crate) use rule::GUARD;
pub use rule::{Probe, Rule};
pub use state::{Absence, Admission, Guard, ONE_IN, Outcome};
pub(super) use state::{OTHERS, UNWRITTEN};

/// The guards of a policy in one VM.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    watched: Vec<Watched>,
    /// The gauges of backends that could be switched off but are not guarded.
    idle: Vec<usize>,
    /// Whether this VM has found anything that it has not published. It is read after every request.
    dirty: Cell<bool>,
    /// A number for what is probed, and how; 0 if nothing is.
    probes: u64,
}

impl Guards {
    pub(super) fn watch(&mut self, id: u64, rule: Rule, gauge: usize) -> usize {
        if let Some(probe) = &rule.probe {
            self.probes = hash_of(&self.probes.to_le_bytes(), &probe.bytes(id));
        }
        self.watched.push(Watched::new(id, rule, gauge));
        self.watched.len().saturating_sub(1)
    }

    pub(super) fn leave_alone(&mut self, gauge: usize) {
        self.idle.push(gauge);
    }

    /// Whether nothing is guarded.
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Whether the results of requests to a backend can switch it off.
    pub(super) fn is_passive(&self, index: usize) -> bool {
        self.watched.get(index).is_some_and(|watched| watched.rule.passive)
    }

    /// Whether a request to this port of a backend may go there.
    pub(super) fn admits(&self, index: usize, port: u16) -> Admission {
        self.watched.get(index).map_or(Admission::Serving, |watched| watched.admits(port))
    }

    /// Takes note of what became of a request that went to a port of a backend. `leads_to` is the
    /// cluster that the request would have gone to without the split. Returns what to measure.
    pub(super) fn observe(
        &self,
        index: usize,
        port: u16,
        outcome: Outcome,
        tried: bool,
        leads_to: &[u8],
        now: u64,
    ) -> Option<Measurement> {
        let watched = self.watched.get(index).filter(|watched| watched.rule.passive)?;
        let beyond = watched.rule.probe.as_ref().is_some_and(|probe| probe.is_at_another_port(leads_to));
        watched.observe(port, outcome, tried, beyond, now).then(|| self.changed(watched))
    }

    /// Takes note of what became of a probe: whether the backend is there. Returns what to measure.
    pub fn probed(&self, index: usize, is_there: bool, now: u64) -> Option<Measurement> {
        let watched = self.watched.get(index)?;
        watched.probed(is_there, now).then(|| self.changed(watched))
    }

    fn changed(&self, watched: &Watched) -> Measurement {
        self.dirty.set(true);
        watched.gauge()
    }

    /// Whether any backend is to be probed.
    pub fn has_probes(&self) -> bool {
        self.probes != 0
    }

    /// A number for what is probed, and how: the same for policies that probe the same.
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// The probes that are due at this tick. A probe is due if its time is nearer to this tick than to
    /// the next. A timer that fires a millisecond early must not cost a tick.
    pub fn due(&self, now: u64) -> impl Iterator<Item = (usize, &Probe)> {
        let near = now.saturating_add(GUARD_TICK / 2);
        self.watched.iter().enumerate().filter_map(move |(index, watched)| {
            let probe = watched.rule.probe.as_ref()?;
            let last = watched.probed.get();
            // A clock that was set back must not silence a probe for years.
            (near.saturating_sub(last) >= probe.every || now < last).then(|| {
                watched.probed.set(now);
                (index, probe)
            })
        })
    }

    /// Whether this VM has found anything that it has not published to the other VMs of this proxy.
    pub fn is_dirty(&self) -> bool {
        self.dirty.get()
    }

    /// What is known of all backends: what is in `shared`, with what this VM has found.
    pub fn publish(&self, shared: &[u8], now: u64) -> Vec<u8> {
        let mut own = Vec::new();
        self.watched.iter().for_each(|watched| watched.changes(&mut own));
        shared::merge(shared, &own, now)
    }

    /// Notes that everything has been published.
    pub fn published(&self) {
        self.watched.iter().for_each(Watched::published);
        self.dirty.set(false);
    }

    /// Takes over what the other VMs have found, and lets time pass. Returns what to measure.
    pub fn merge(&self, shared: &[u8], now: u64) -> Vec<Measurement> {
        // Sorted by backend: a thousand backends must not each search a thousand records.
        let all: Vec<(Subject, Absence)> = shared::records(shared).collect();
        let all = merged(all, |(one, _), (next, _)| one.id > next.id);
        let changed = self.watched.iter().filter(|watched| {
            let from = all.partition_point(|(subject, _)| subject.id < watched.id);
            let known = all.get(from..).unwrap_or_default();
            let known = known.split(|(subject, _)| subject.id != watched.id).next().unwrap_or_default();
            let (changed, dirty) = watched.merge(known, now);
            if dirty {
                self.dirty.set(true);
            }
            changed
        });
        changed.map(Watched::gauge).collect()
    }

    /// The gauges of all backends with their present values: an older policy may have left others.
    pub fn gauges(&self) -> Vec<Measurement> {
        let idle = self.idle.iter().map(|series| Measurement { series: *series, value: 0 });
        self.watched.iter().map(Watched::gauge).chain(idle).collect()
    }
}
