//! Metric ids: defined once per VM and remembered.
//!
//! Every definition gives a new id, and Envoy keeps a new entry for it for the life of the VM, even if
//! it knows the name. So the ids of a VM outlive its plugins.

use std::cell::RefCell;

use narrows_core::names::IndexByName;
use narrows_core::{Kind, Measurement, Series};

use crate::abi::{self, MetricType};

thread_local! {
    /// By name and kind.
    static DEFINED: RefCell<IndexByName> = RefCell::default();
}

/// The ids of a policy's series, in the policy's order.
#[derive(Debug, Default)]
pub struct Ids(RefCell<Vec<(Kind, u32)>>);

impl Ids {
    /// Defines the series that are not defined yet, all of them when the policy is loaded. A series
    /// that exists from the start keeps its value when the module is replaced, and starts at 0 in a
    /// graph.
    pub(crate) fn of(series: &[Series]) -> Self {
        let ids = Self::default();
        ids.extend(series);
        ids
    }

    /// Defines more series; their indices follow those of the others.
    pub(crate) fn extend(&self, series: &[Series]) {
        self.0.borrow_mut().extend(series.iter().map(|series| (series.kind, id(series))));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Adds to the counter at that index.
    pub(crate) fn add(&self, series: usize, value: u64) {
        self.measure(Measurement { series, value });
    }

    /// Adds one to the gauge at that index, or takes one away.
    pub(crate) fn step(&self, series: usize, is_up: bool) {
        if let Some((_, id)) = self.0.borrow().get(series) {
            abi::step_metric(*id, is_up);
        }
    }

    /// Applies measurements in order.
    pub(crate) fn measure_all(&self, measured: impl IntoIterator<Item = Measurement>) {
        measured.into_iter().for_each(|one| self.measure(one));
    }

    /// Applies one measurement.
    pub(crate) fn measure(&self, measurement: Measurement) {
        let Some((kind, id)) = self.0.borrow().get(measurement.series).copied() else { return };
        match kind {
            Kind::Counter => abi::increment_metric(id, measurement.value),
            Kind::Gauge | Kind::Histogram => abi::record_metric(id, measurement.value),
        }
    }
}

/// Sets a gauge that belongs to no policy.
pub(crate) fn set(series: &Series, value: u64) {
    abi::record_metric(id(series), value);
}

/// Defines a series that belongs to no policy, and leaves its value as it is.
pub(crate) fn define(series: &Series) {
    id(series);
}

/// The value of a gauge that belongs to no policy; 0 if nobody has set it.
pub(crate) fn get(series: &Series) -> u64 {
    abi::metric(id(series)).unwrap_or_default()
}

/// Adds to a counter that is known only by its name. Only for a few names: each stays for the life of
/// the VM.
pub(crate) fn add(series: &Series, value: u64) {
    abi::increment_metric(id(series), value);
}

fn id(series: &Series) -> u32 {
    DEFINED.with_borrow_mut(|defined| {
        let (kind, letter) = match series.kind {
            Kind::Counter => (MetricType::Counter, b'c'),
            Kind::Gauge => (MetricType::Gauge, b'g'),
            Kind::Histogram => (MetricType::Histogram, b'h'),
        };
        // After an update one name may have another kind. The old id would then not count it.
        let mut key = series.name.as_bytes().to_vec();
        key.push(letter);
        if let Some(id) = defined.get(key.as_slice()) {
            return *id;
        }
        // A refused name would be a bug of ours.
        let id = abi::define_metric(kind, &series.name).unwrap_or_default();
        defined.insert(key.into(), id);
        id
    })
}
