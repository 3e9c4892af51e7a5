//! Measuring with series that are named as requests are served.

use narrows_core::Policy;
use narrows_core::tags::{Ask, Meter, Path, Report};
use proxy_wasm::hostcalls;

use crate::ledger::Ledger;
use crate::read;
use crate::root::Loaded;

/// A request may need its values admitted first, and then its series.
const ROUNDS: [Ask; 3] = [Ask::Yes, Ask::Yes, Ask::No];

impl<P: Policy> Loaded<P> {
    /// Reads what does not change, and learns what the proxy has counted so far: all
    /// of it is defined now, so that it keeps its values when the module is replaced.
    /// `owner` is the plugin, `allowed` what all plugins allow.
    pub(crate) fn begin(&self, owner: u64, allowed: u32) {
        let Some(meter) = self.policy.meter() else { return };
        meter.own(&owner.to_string());
        self.allow(allowed);
        let constants: Vec<_> = meter.constants().map(property).collect();
        meter.begin(&constants);
        let mut ledger = Ledger::of(P::FILTER);
        ledger.catch_up(meter);
        meter.overflow_entries().iter().for_each(|entry| ledger.append(entry, meter));
        *self.ledger.borrow_mut() = Some(ledger);
        self.define(meter);
    }

    /// Hears how many series the policies of all plugins allow.
    pub(crate) fn allow(&self, allowed: u32) {
        if let Some(meter) = self.policy.meter() {
            meter.allow(usize::try_from(allowed).unwrap_or(usize::MAX));
        }
    }

    /// Measures a request in the log phase.
    pub(crate) fn measure(&self, meter: &Meter, verdict: &P::Verdict) {
        if !self.policy.is_measured(verdict) {
            return;
        }
        let observed: Vec<_> = meter.wants().iter().map(|path| self.observe(path)).collect();
        for ask in ROUNDS {
            match self.policy.report(verdict, &observed, ask) {
                Report::Entries(entries) => {
                    if let Some(ledger) = &mut *self.ledger.borrow_mut() {
                        entries.iter().for_each(|entry| ledger.append(entry, meter));
                    }
                    self.define(meter);
                }
                Report::Measured { measurements, state, notes } => {
                    self.ids.measure_all(measurements);
                    for (name, value) in &state {
                        // Filter state can still be written here, and Envoy's own log comes after.
                        _ = hostcalls::set_property(vec![name], Some(value.as_bytes()));
                    }
                    notes.iter().for_each(|note| log::warn!("{}: {note}", P::FILTER));
                    return;
                }
            }
        }
    }

    /// A property of a request, in the log phase.
    fn observe(&self, path: &Path) -> Option<Vec<u8>> {
        match &**path {
            [group, name] if **group == *"connection" => self.around.property(&["connection", name]),
            _ => property(path),
        }
    }

    /// Defines the series that have been admitted since.
    fn define(&self, meter: &Meter) {
        let known = self.ids.len().saturating_sub(self.policy.series().len());
        let new = meter.series_from(known);
        self.ids.extend(&new);
        self.ids.measure(meter.size());
    }
}

fn property(path: &Path) -> Option<Vec<u8>> {
    let path: Vec<&str> = path.iter().map(|name| &**name).collect();
    read::property(&path)
}
