//! What the workers of one proxy share: shared data, series, clusters and the time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::metrics::Metrics;
use super::shared::SharedData;

/// One Envoy process. VMs made with clones of the same `Proxy` are its workers.
#[derive(Clone, Default, Debug)]
pub struct Proxy {
    /// The key-value store and the queues.
    pub shared: SharedData,
    /// The series.
    pub metrics: Metrics,
    /// The clusters that callouts may name.
    pub clusters: Clusters,
    /// The time.
    pub clock: Clock,
}

/// A clock that moves only when told to; clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicU64>);

/// Where a callout may go; clones are the same set. A name that is not in it is unknown to Envoy.
#[derive(Clone, Default, Debug)]
pub struct Clusters(Arc<Mutex<BTreeMap<String, Cluster>>>);

/// What Envoy knows of a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cluster {
    /// It has a host that can be called.
    Usable,
    /// It exists without one: a callout fails before anything is sent.
    Empty,
}

impl Clock {
    /// Nanoseconds since 1970.
    pub fn nanos(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the time.
    pub fn set_nanos(&self, nanos: u64) {
        self.0.store(nanos, Ordering::Relaxed);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(nanos(by), Ordering::Relaxed);
    }
}

impl Default for Clock {
    /// A fixed moment in 2026, so that a filter that asks for the time gets a plausible one.
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_790_000_000_000_000_000)))
    }
}

impl Clusters {
    /// Adds a cluster or changes it.
    pub fn set(&self, name: &str, cluster: Cluster) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), cluster);
    }

    /// Takes a cluster away.
    pub fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// What Envoy knows of a cluster.
    pub fn get(&self, name: &str) -> Option<Cluster> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }
}

/// A duration as the ABI writes it.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
