//! One backend under guard: its state as a whole, and port by port.

use std::cell::{Cell, RefCell};

use super::rule::Rule;
use super::shared::Subject;
use super::state::{Absence, Admission, Guard, OTHERS, Outcome, UNWRITTEN};
use crate::language::limits;
use crate::language::limits::GUARD_TICK;
use crate::policy::series::Measurement;

/// The VM that found an absence tries first, because the other VMs would each lose a request too. If it
/// has no traffic, the others try this much later: two ticks, in which they read of a failed try.
const GRACE: u64 = 2 * GUARD_TICK;
/// A port that nobody asks for can neither fail nor come back. After this time it is treated as if it
/// had never failed. Otherwise one request to a port that nobody else uses would keep the gauge up.
const IDLE: u64 = 600_000;

/// One backend under guard.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// The same in every VM, and for every policy with the same split, backend and destination.
    pub(super) id: u64,
    pub(super) rule: Rule,
    /// The series that is 1 while the backend is switched off.
    gauge: usize,
    /// What probes found. It concerns every port.
    whole: Cell<Whole>,
    /// What requests found. Empty while all is well.
    ports: RefCell<Vec<Port>>,
    /// When it was last probed.
    pub(super) probed: Cell<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Whole {
    absence: Option<Absence>,
    dirty: bool,
}

/// What is known of one port.
#[derive(Clone, Copy, Debug, Default)]
struct Port {
    /// As the caller wrote it, or [`UNWRITTEN`], or [`OTHERS`].
    number: u16,
    guard: Guard,
    /// Whether this VM found the absence.
    is_own: bool,
    /// When a probe last ended an absence; 0 if none did.
    vetoed: u64,
    /// Whether the other VMs do not know of it yet.
    dirty: bool,
}

impl Watched {
    pub(super) fn new(id: u64, rule: Rule, gauge: usize) -> Self {
        Self { id, rule, gauge, whole: Cell::default(), ports: RefCell::default(), probed: Cell::default() }
    }

    pub(super) fn gauge(&self) -> Measurement {
        Measurement { series: self.gauge, value: u64::from(self.is_off()) }
    }

    /// Whether any of its ports is switched off.
    fn is_off(&self) -> bool {
        let at_a_port = || self.ports.try_borrow().is_ok_and(|ports| ports.iter().any(Port::is_off));
        self.whole.get().absence.is_some() || at_a_port()
    }

    pub(super) fn admits(&self, number: u16) -> Admission {
        if self.whole.get().absence.is_some() {
            return Admission::Refused;
        }
        let Ok(mut ports) = self.ports.try_borrow_mut() else { return Admission::Serving };
        find(&ports, number).and_then(|at| ports.get_mut(at)).map_or(Admission::Serving, |p| p.guard.admits())
    }

    /// Takes note of what became of a request to this port. `beyond` is whether the probe asks at
    /// another port. Returns whether anything has changed.
    pub(super) fn observe(&self, number: u16, outcome: Outcome, tried: bool, beyond: bool, now: u64) -> bool {
        let Ok(mut ports) = self.ports.try_borrow_mut() else { return false };
        match outcome {
            Outcome::Absent => {
                let cooldown = self.rule.cooldown;
                let Some(port) = entry(&mut ports, number) else { return false };
                let disputed = port.vetoed != 0 && now.abs_diff(port.vetoed) < cooldown;
                port.guard.absent(Absence { since: now, held: tried || beyond || disputed });
                port.is_own = true;
                port.dirty = true;
                true
            }
            Outcome::Served if tried => {
                let Some(port) = find(&ports, number).and_then(|at| ports.get_mut(at)) else {
                    return false;
                };
                port.open(0);
                true
            }
            Outcome::Served | Outcome::Unknown => false,
        }
    }

    /// Takes note of what became of a probe. Returns whether anything has changed.
    pub(super) fn probed(&self, is_there: bool, now: u64) -> bool {
        let absence = (!is_there).then_some(Absence { since: now, held: false });
        // All VMs may know already, but a record of an absence must stay young.
        let mut changed = absence.is_some() || self.whole.get().absence.is_some();
        if changed {
            self.whole.set(Whole { absence, dirty: true });
        }
        if let Ok(mut ports) = self.ports.try_borrow_mut()
            && is_there
        {
            for port in ports.iter_mut().filter(|port| port.guard.absence().is_some_and(|a| !a.held)) {
                port.open(now);
                changed = true;
            }
        }
        changed
    }

    /// What the other VMs do not know yet.
    pub(super) fn changes(&self, changes: &mut Vec<(Subject, Option<Absence>)>) {
        let subject = |port| Subject { id: self.id, port };
        let whole = self.whole.get();
        changes.extend(whole.dirty.then_some((subject(None), whole.absence)));
        if let Ok(ports) = self.ports.try_borrow() {
            let ports = ports.iter().filter(|port| port.dirty);
            changes.extend(ports.map(|port| (subject(Some(port.number)), port.guard.absence())));
        }
    }

    pub(super) fn published(&self) {
        self.whole.set(Whole { dirty: false, ..self.whole.get() });
        if let Ok(mut ports) = self.ports.try_borrow_mut() {
            ports.iter_mut().for_each(|port| port.dirty = false);
        }
    }

    /// Takes over what is known of this backend, and lets time pass. Returns whether the backend was
    /// switched on or off, and whether there is anything to publish.
    pub(super) fn merge(&self, known: &[(Subject, Absence)], now: u64) -> (bool, bool) {
        let was_off = self.is_off();
        let mut whole = self.whole.get();
        if !whole.dirty {
            whole.absence = known.iter().find(|(subject, _)| subject.port.is_none()).map(|(_, a)| *a);
            self.whole.set(whole);
        }
        let Ok(mut ports) = self.ports.try_borrow_mut() else { return (false, false) };
        let has_probe = self.rule.probe.is_some();
        for (number, absence) in known.iter().filter_map(|(subject, a)| Some((subject.port?, *a))) {
            if let Some(port) = entry(&mut ports, number)
                && !port.dirty
                && port.guard.absence() != Some(absence)
            {
                port.guard.absent(absence);
                port.is_own = false;
            }
        }
        let mut is_dirty = false;
        let cooldown = self.rule.probe.as_ref().map_or(0, |probe| probe.every).max(self.rule.cooldown);
        for port in ports.iter_mut() {
            let is_known = known.iter().any(|(subject, _)| subject.port == Some(port.number));
            if !port.dirty && !is_known && port.is_off() {
                // In another VM a try was served, or a probe was answered: that is not a dispute yet.
                port.guard.back();
                port.vetoed = if has_probe { now } else { 0 };
            }
            // Before a request tries, a probe has had its time to show that the backend is there.
            port.guard.advance(cooldown.saturating_add(if port.is_own { 0 } else { GRACE }), now);
            if let Guard::Probing(absence, _) = port.guard
                && now.abs_diff(absence.since) >= cooldown.saturating_add(IDLE)
            {
                port.open(0);
            }
            is_dirty |= port.dirty;
        }
        ports.retain(|port| {
            let disputable = port.vetoed != 0 && now.abs_diff(port.vetoed) < self.rule.cooldown;
            port.dirty || port.is_off() || disputable
        });
        drop(ports);
        (was_off != self.is_off(), is_dirty)
    }
}

#[cfg(test)]
impl Watched {
    pub(super) fn ports_known(&self) -> usize {
        self.ports.borrow().len()
    }

    pub(super) fn publish_again(&self) {
        self.whole.set(Whole { dirty: true, ..self.whole.get() });
        self.ports.borrow_mut().iter_mut().for_each(|port| port.dirty = true);
    }
}

impl Port {
    fn is_off(&self) -> bool {
        self.guard != Guard::Serving
    }

    fn open(&mut self, vetoed: u64) {
        self.guard.back();
        self.vetoed = vetoed;
        self.dirty = true;
    }
}

/// The index of a port's state. Ports without room share a place; the requests that wrote no port have their
/// own, which no client can take by writing ports.
fn find(ports: &[Port], number: u16) -> Option<usize> {
    let find = |number| ports.iter().position(|port| port.number == number);
    find(number).or_else(|| find(OTHERS).filter(|_| number != UNWRITTEN && is_full(ports)))
}

fn is_full(ports: &[Port]) -> bool {
    let written = ports.iter().filter(|port| ![UNWRITTEN, OTHERS].contains(&port.number));
    written.count() >= limits::GUARDED_PORTS
}

/// The state of a port. It is created if there is room.
fn entry(ports: &mut Vec<Port>, number: u16) -> Option<&mut Port> {
    let at = find(ports, number).unwrap_or_else(|| {
        let number = if number != UNWRITTEN && is_full(ports) { OTHERS } else { number };
        ports.push(Port { number, ..Port::default() });
        ports.len().saturating_sub(1)
    });
    ports.get_mut(at)
}
