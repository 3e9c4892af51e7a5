//! The account of what a filter did: which callbacks ran, what they cost, what they asked for.

use std::sync::Arc;

use super::abi::{LogLevel, MetricKind, Status};

/// Everything a filter did between two readings of the account.
#[derive(Clone, Default, Debug)]
pub struct Work {
    /// The callbacks that ran, in order.
    pub callbacks: Vec<Callback>,
    /// The host calls they made, in order.
    pub calls: Vec<HostCall>,
    /// The series they changed, in order.
    pub metrics: Vec<MetricChange>,
    /// What they logged at or above the level of the VM.
    pub logs: Vec<LogLine>,
    /// Why the VM died, if it did. In Envoy this is a 503 for every stream of the VM.
    pub trap: Option<String>,
}

/// One run of one of the filter's callbacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    /// The name of the export.
    pub name: &'static str,
    /// What it cost, in wasmtime's fuel: about one per instruction, the same on every machine.
    pub fuel: u64,
}

/// One call from the filter to its host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCall {
    /// The name of the import.
    pub name: &'static str,
    /// What it answered.
    pub status: Status,
    /// Whether bytes went back into the VM. Envoy must call into the VM for room first, which makes
    /// such a call several times as dear as one that answers with a status.
    pub returned: Option<u32>,
    /// The header, property, key or name that it was about; kept if the VM was asked to trace.
    pub about: Option<Box<str>>,
}

/// One change of one series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricChange {
    /// The kind of series.
    pub kind: MetricKind,
    /// Its name, as the filter defined it.
    pub name: Arc<str>,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a series.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// A counter or gauge moved by this much.
    Add(i64),
    /// A gauge took this value.
    Set(u64),
    /// A histogram took this sample.
    Sample(u64),
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// The text, with bytes that are not UTF-8 replaced.
    pub text: String,
}

impl Work {
    /// The fuel of all callbacks: the deterministic price of the work.
    pub fn fuel(&self) -> u64 {
        self.callbacks.iter().map(|callback| callback.fuel).sum()
    }

    /// The fuel of one callback.
    pub fn fuel_of(&self, callback: &str) -> u64 {
        self.callbacks.iter().filter(|c| c.name == callback).map(|c| c.fuel).sum()
    }

    /// How often a host call was made.
    pub fn count(&self, import: &str) -> usize {
        self.calls.iter().filter(|call| call.name == import).count()
    }

    /// How many host calls brought bytes into the VM: the dear ones.
    pub fn fetches(&self) -> usize {
        self.calls.iter().filter(|call| call.returned.is_some()).count()
    }

    /// Whether any log line contains the text.
    pub fn logged(&self, text: &str) -> bool {
        self.logs.iter().any(|line| line.text.contains(text))
    }

    /// How far a counter or gauge moved by increments; 0 if it did not.
    pub fn added(&self, metric: &str) -> i64 {
        let moved = |change: &MetricChange| match change.change {
            Change::Add(amount) if *change.name == *metric => amount,
            _ => 0,
        };
        self.metrics.iter().map(moved).sum()
    }
}
