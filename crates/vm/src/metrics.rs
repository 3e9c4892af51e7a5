//! The series of one proxy, and the ids by which one VM knows them.
//!
//! Values belong to the process: every worker's id of a name leads to one number. Ids belong to
//! the VM, and Envoy hands out a new one for every definition, of a known name too, and never
//! takes it back. That is a leak in the hand of a careless filter, so definitions are counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::abi::{MetricKind, Status};
use super::trace::{Change, MetricChange};

/// A handle to the series of one proxy; clones are the same series.
#[derive(Clone, Default, Debug)]
pub struct Metrics(Arc<Mutex<Registry>>);

/// What a histogram has taken in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    /// How many samples.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The latest one.
    pub last: u64,
}

#[derive(Default, Debug)]
struct Registry {
    indices: HashMap<(MetricKind, Arc<str>), usize>,
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    kind: MetricKind,
    name: Arc<str>,
    value: u64,
    samples: Histogram,
    /// The VMs that have defined it and have not ended. The last one takes it along.
    holders: usize,
}

/// The ids that one VM has been given, by kind and in order.
#[derive(Default, Debug)]
pub(super) struct MetricIds {
    indices: [Vec<usize>; 3],
}

impl Metrics {
    /// The value of a counter or gauge; none if no VM has defined it.
    pub fn value(&self, name: &str) -> Option<u64> {
        let plain = |s: &&Series| s.kind != MetricKind::Histogram && *s.name == *name && s.holders > 0;
        self.lock().series.iter().find(plain).map(|s| s.value)
    }

    /// What a histogram holds; none if no VM has defined it.
    pub fn histogram(&self, name: &str) -> Option<Histogram> {
        let index = *self.lock().indices.get(&(MetricKind::Histogram, Arc::from(name)))?;
        self.lock().series.get(index).map(|s| s.samples)
    }

    /// Every counter and gauge with its value, and every histogram with its number of samples.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        let registry = self.lock();
        let read = |s: &Series| match s.kind {
            MetricKind::Histogram => s.samples.count,
            MetricKind::Counter | MetricKind::Gauge => s.value,
        };
        registry.series.iter().filter(|s| s.holders > 0).map(|s| (s.name.to_string(), read(s))).collect()
    }

    /// How many series exist: what Envoy never frees.
    pub fn len(&self) -> usize {
        self.lock().series.len()
    }

    /// Whether nothing has been defined.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricIds {
    /// Gives out the next id of a kind; Envoy counts in fours from four and keeps the kind in the
    /// low bits.
    pub(super) fn define(&mut self, metrics: &Metrics, kind: MetricKind, name: &str) -> u32 {
        let mut registry = metrics.lock();
        let index = registry.index(kind, name);
        let held = &mut self.indices[kind as usize];
        if !held.contains(&index)
            && let Some(series) = registry.series.get_mut(index)
        {
            series.holders += 1;
        }
        held.push(index);
        u32::try_from(held.len()).unwrap_or(u32::MAX) * STEP + kind as u32
    }

    /// Lets go of every series, as Envoy does when it deletes a VM.
    pub(super) fn end(&mut self, metrics: &Metrics) {
        let mut indices: Vec<usize> = self.indices.iter_mut().flat_map(std::mem::take).collect();
        indices.sort_unstable();
        indices.dedup();
        let mut registry = metrics.lock();
        for index in indices {
            let Some(series) = registry.series.get_mut(index) else { continue };
            series.holders = series.holders.saturating_sub(1);
            if series.holders == 0 {
                (series.value, series.samples) = (0, Histogram::default());
            }
        }
    }

    /// Adds to a counter or gauge.
    pub(super) fn increment(&self, metrics: &Metrics, id: u32, offset: i64) -> Result<MetricChange, Status> {
        let kind = MetricKind::new(id & 3).unwrap_or(MetricKind::Histogram);
        if kind == MetricKind::Histogram {
            return Err(Status::BadArgument);
        }
        let mut registry = metrics.lock();
        let series = registry.at(self.index(kind, id)?)?;
        if kind == MetricKind::Counter && offset <= 0 {
            return Err(Status::BadArgument);
        }
        series.value = series.value.wrapping_add_signed(offset);
        Ok(series.change(Change::Add(offset)))
    }

    /// Adds to a counter, sets a gauge, or gives a histogram a sample.
    pub(super) fn record(&self, metrics: &Metrics, id: u32, value: u64) -> Result<MetricChange, Status> {
        let kind = MetricKind::new(id & 3).ok_or(Status::NotFound)?;
        let mut registry = metrics.lock();
        let series = registry.at(self.index(kind, id)?)?;
        let change = match kind {
            MetricKind::Counter => {
                series.value = series.value.wrapping_add(value);
                Change::Add(i64::try_from(value).unwrap_or(i64::MAX))
            }
            MetricKind::Gauge => {
                series.value = value;
                Change::Set(value)
            }
            MetricKind::Histogram => {
                let Histogram { count, sum, .. } = series.samples;
                series.samples = Histogram { count: count + 1, sum: sum.wrapping_add(value), last: value };
                Change::Sample(value)
            }
        };
        Ok(series.change(change))
    }

    /// Reads a counter or gauge; a histogram cannot be read.
    pub(super) fn get(&self, metrics: &Metrics, id: u32) -> Result<u64, Status> {
        match MetricKind::new(id & 3) {
            Some(kind @ (MetricKind::Counter | MetricKind::Gauge)) => {
                Ok(metrics.lock().at(self.index(kind, id)?)?.value)
            }
            _ => Err(Status::BadArgument),
        }
    }

    /// How often this VM has defined each name.
    pub(super) fn definitions(&self, metrics: &Metrics) -> BTreeMap<String, usize> {
        let registry = metrics.lock();
        let mut counts = BTreeMap::new();
        for series in self.indices.iter().flatten().filter_map(|index| registry.series.get(*index)) {
            *counts.entry(series.name.to_string()).or_default() += 1;
        }
        counts
    }

    fn index(&self, kind: MetricKind, id: u32) -> Result<usize, Status> {
        let order = (id / STEP) as usize;
        let index = order.checked_sub(1).and_then(|order| self.indices[kind as usize].get(order));
        index.copied().ok_or(Status::NotFound)
    }
}

impl Registry {
    fn index(&mut self, kind: MetricKind, name: &str) -> usize {
        let key = (kind, Arc::from(name));
        *self.indices.entry(key).or_insert_with_key(|(_, name)| {
            self.series.push(Series {
                kind,
                name: name.clone(),
                value: 0,
                samples: Histogram::default(),
                holders: 0,
            });
            self.series.len() - 1
        })
    }

    fn at(&mut self, index: usize) -> Result<&mut Series, Status> {
        self.series.get_mut(index).ok_or(Status::NotFound)
    }
}

impl Series {
    fn change(&self, change: Change) -> MetricChange {
        MetricChange { kind: self.kind, name: self.name.clone(), change }
    }
}

/// How far Envoy's ids of one kind are apart.
const STEP: u32 = 4;
