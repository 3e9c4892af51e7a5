//! Measuring with series that get their names while requests are served.

use std::cell::RefCell;

use narrows_core::tags::{Admission, CardinalityLimit, Metered, Path, Report};

use super::series_log::SeriesLog;
use super::{Ended, Extension};
use crate::abi;
use crate::lease::Plugin;
use crate::metric::Ids;
use crate::node::Node;
use crate::read;

/// A request may first need its values admitted, and then its series.
const ROUNDS: [Admission; 3] = [Admission::Open, Admission::Open, Admission::Closed];

/// How far the series log of a policy has been read.
#[derive(Debug, Default)]
pub struct Measuring(RefCell<Option<SeriesLog>>);

impl<P: Metered + 'static> Extension<P> for Measuring {
    type Kept = ();

    /// Reads the properties that do not change, and reads what the proxy has counted so far. All of
    /// these series are defined now, so that they keep their values when the module is replaced.
    fn load(policy: &P, ids: &Ids, plugin: &Plugin) -> Self {
        let Some(cardinality) = policy.cardinality_limit() else { return Self::default() };
        cardinality.own(&plugin.id().to_string());
        cardinality.allow(usize::try_from(plugin.bound()).unwrap_or(usize::MAX));
        let constants: Vec<_> = cardinality.constants().map(property).collect();
        cardinality.begin(&constants);
        let mut log = SeriesLog::of(plugin.filter());
        log.catch_up(cardinality);
        cardinality.overflow_entries().iter().for_each(|entry| log.append(entry, cardinality));
        define(policy, cardinality, ids);
        Self(RefCell::new(Some(log)))
    }

    fn limit(policy: &P) -> u32 {
        policy
            .cardinality_limit()
            .map_or(0, |cardinality| u32::try_from(cardinality.limit()).unwrap_or(u32::MAX))
    }

    fn allow(&self, policy: &P, _ids: &Ids, limit: u32) {
        if let Some(cardinality) = policy.cardinality_limit() {
            cardinality.allow(usize::try_from(limit).unwrap_or(usize::MAX));
        }
    }

    fn counts_unseen(&self, policy: &P) -> bool {
        policy.cardinality_limit().is_some()
    }

    fn ended(&self, policy: &P, verdict: &P::Verdict, _kept: (), ended: &Ended<'_>) {
        let Some(cardinality) = policy.cardinality_limit().filter(|_| policy.is_measured(verdict)) else {
            return;
        };
        let observed: Vec<_> = cardinality.reads().iter().map(|path| observe(path, ended.node)).collect();
        for admission in ROUNDS {
            match policy.report(verdict, &observed, admission) {
                Report::NeedsAdmission(entries) => abi::lasting(|| {
                    if let Some(log) = &mut *self.0.borrow_mut() {
                        entries.iter().for_each(|entry| log.append(entry, cardinality));
                    }
                    define(policy, cardinality, ended.ids);
                }),
                Report::Measured { measurements, state, notes } => {
                    ended.ids.measure_all(measurements);
                    for (name, value) in &state {
                        // Filter state can still be written here; Envoy writes its access log later.
                        abi::set_property(name, value.as_bytes());
                    }
                    notes.iter().for_each(|note| log::warn!("{}: {note}", P::FILTER));
                    return;
                }
            }
        }
    }
}

/// A property of a request, in the log phase.
fn observe(path: &Path, node: &Node) -> Option<Vec<u8>> {
    match &**path {
        [group, name] if **group == *"connection" => node.property(&["connection", name]),
        _ => property(path),
    }
}

/// Defines the series that have been admitted since.
fn define<P: Metered>(policy: &P, cardinality: &CardinalityLimit, ids: &Ids) {
    let known = ids.len().saturating_sub(policy.common().series.len());
    let new = cardinality.series_from(known);
    ids.extend(&new);
    ids.measure(cardinality.size());
}

fn property(path: &Path) -> Option<Vec<u8>> {
    let path: Vec<&str> = path.iter().map(|name| &**name).collect();
    read::property(&path)
}
