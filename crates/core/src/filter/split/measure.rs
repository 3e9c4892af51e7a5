//! What a split counts, and whether a request was served where it was sent.

use super::anonymous::COUNTED;
use super::guard::Outcome;
use super::istio;
use super::rollback::{Class, ROLLED_BACK};
use super::splitter::{Backend, Split, Splitter};
use super::verdict::{Reason, Verdict};
use crate::filter::split::served::Served;
use crate::language::modes::Mode;
use crate::order::hash_of;
use crate::policy::code_class::CODE_CLASSES;
use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Measurement, Series};

/// Series of one backend.
pub(super) const SERIES: usize = CODE_CLASSES.len() + 5;
/// The series of a backend: requests by code class, then these.
const DURATION: usize = CODE_CLASSES.len();
const OVERRIDE: usize = CODE_CLASSES.len() + 1;
/// Further series, which the baseline does not have.
const MISMATCH: usize = CODE_CLASSES.len() + 2;
const GUARD: usize = CODE_CLASSES.len() + 3;
const GUARDED: usize = CODE_CLASSES.len() + 4;
/// Only of a backend with a ramp.
const RAMP: usize = CODE_CLASSES.len() + 5;

/// Only of a canary with a rollback, and after them its trips by class: see `rollback::roll`.
const OF_ROLLBACK: [(Kind, &str); 3] = [
    (Kind::Gauge, "narrows_split_rollback_state"),
    (Kind::Counter, "narrows_split_rolled_back_total"),
    (Kind::Gauge, "narrows_split_rollback_open"),
];

/// Names every series of every split, and records in splits and backends where their own begin.
pub(super) fn define(splits: &mut [Split], encoding: LabelEncoding) -> Vec<Series> {
    let mut series = Vec::new();
    for split in splits {
        split.series = series.len();
        let of_split = Label { name: "split", stock: BuiltinTag::Component, value: &split.name };
        series.push(Series::new(Kind::Counter, encoding, "narrows_split_missing_key_total", &[of_split]));
        for (index, backend) in split.backends.iter_mut().enumerate() {
            backend.series = series.len();
            let of_backend = Label { name: "backend", stock: BuiltinTag::WasmFilter, value: &backend.name };
            for class in CODE_CLASSES {
                let of_class = Label { name: "code_class", stock: BuiltinTag::CodeClass, value: class };
                let labels = [of_split, of_backend, of_class];
                series.push(Series::new(Kind::Counter, encoding, "narrows_split_requests_total", &labels));
            }
            let of_any = [
                (Kind::Histogram, "narrows_split_duration_milliseconds"),
                (Kind::Counter, "narrows_split_override_total"),
            ];
            let of_canaries = [
                (Kind::Counter, "narrows_split_mismatch_total"),
                (Kind::Gauge, "narrows_split_guard"),
                (Kind::Counter, "narrows_split_guarded_total"),
            ];
            let of_canaries = of_canaries.iter().filter(|_| index != split.baseline);
            let of_ramps = backend.ramp.is_some().then_some(&(Kind::Gauge, "narrows_split_buckets"));
            for (kind, name) in of_any.iter().chain(of_canaries).chain(of_ramps) {
                series.push(Series::new(*kind, encoding, name, &[of_split, of_backend]));
            }
            if let Some(rolling) = split.rollback.as_deref_mut().filter(|_| index != split.baseline) {
                rolling.watch(index, series.len());
                for (kind, name) in OF_ROLLBACK {
                    series.push(Series::new(kind, encoding, name, &[of_split, of_backend]));
                }
                for class in Class::ALL {
                    let of_fault = Label { name: "fault", stock: BuiltinTag::Tag, value: class.as_str() };
                    let labels = [of_split, of_backend, of_fault];
                    series.push(Series::new(
                        Kind::Counter,
                        encoding,
                        "narrows_split_rollbacks_total",
                        &labels,
                    ));
                }
            }
        }
        if let Some(ids) = &mut split.anonymous {
            ids.series = series.len();
            for result in COUNTED {
                let of_result = Label { name: "result", stock: BuiltinTag::Tag, value: result };
                let name = "narrows_split_anonymous_ids_total";
                series.push(Series::new(Kind::Counter, encoding, name, &[of_split, of_result]));
            }
        }
    }
    series
}

impl Split {
    /// The series that a decision counts by itself, before anything has been served.
    pub(super) fn decision_series(&self, verdict: &Verdict) -> Option<usize> {
        match verdict.reason {
            Reason::MissingKey | Reason::Random => Some(self.series),
            Reason::Override => self.backend_series(verdict.backend, OVERRIDE),
            Reason::Guard => self.backend_series(verdict.instead_of?, GUARDED),
            Reason::Rollback => {
                let series = self.rollback.as_deref()?.series(verdict.instead_of?);
                series.map(|series| series.saturating_add(ROLLED_BACK))
            }
            _ => None,
        }
    }

    fn backend_series(&self, backend: usize, which: usize) -> Option<usize> {
        Some(self.backends.get(backend)?.series.saturating_add(which))
    }
}

impl Splitter {
    pub(super) fn measure(&self, verdict: &Verdict, served: &Served<'_>) -> Vec<Measurement> {
        let Some(split) = self.splits.get(verdict.split) else { return Vec::new() };
        let Some(backend) = split.backends.get(verdict.backend) else { return Vec::new() };
        let one = |which: usize, value| Measurement { series: backend.series.saturating_add(which), value };
        let mut measured = vec![one(served.code_class(), 1), one(DURATION, served.duration)];
        if !self.is_sent_away(verdict) {
            if verdict.backend == split.baseline {
                split.seen.set(hash_of(b"", served.cluster));
            }
            return measured;
        }
        if served.at_dialled == Some(false) {
            backend.addressed.set(hash_of(b"", served.cluster));
        }
        let outcome = self.outcome(backend, verdict, served);
        let is_lost = outcome == Outcome::Absent
            || served.at_dialled == Some(true)
            || (served.before.is_none() && served.missing().is_some());
        if is_lost || split.is_elsewhere(backend, served.cluster) {
            measured.push(one(MISMATCH, 1));
        }
        let before = served.before.unwrap_or_default();
        let observe = |guard| {
            self.guards.observe(guard, verdict.port, outcome, verdict.is_try, before.cluster, served.now)
        };
        measured.extend(backend.guard.and_then(observe));
        measured
    }

    /// Whether the cluster that served a request says anything: where it was sent away, or where one
    /// that is sent away is compared with it.
    pub(super) fn compares_clusters(&self, verdict: &Verdict) -> bool {
        let compares = |split: &Split| {
            let mut backends = split.backends.iter().enumerate();
            backends.any(|(index, backend)| index != split.baseline && backend.cluster.is_none())
        };
        let split = self.splits.get(verdict.split).filter(|split| split.mode == Mode::Enforce);
        self.is_sent_away(verdict) || split.is_some_and(compares)
    }

    /// Whether a request was sent to another backend than the baseline.
    pub(super) fn is_sent_away(&self, verdict: &Verdict) -> bool {
        let split = self.splits.get(verdict.split);
        split.is_some_and(|split| split.mode == Mode::Enforce && verdict.backend != split.baseline)
    }
}

impl Split {
    /// Whether a cluster is not the one to which a backend's requests are sent.
    ///
    /// This is certain if the policy names the cluster. Otherwise it follows from Istio's own names
    /// (`outbound|8080||stock-canary.books.svc.cluster.local`), and from the cluster that served the
    /// baseline last: a request that ends there too was not taken by a route of its own. A cluster with
    /// any other name counts as the right one. Where there was no cluster, nothing is known.
    fn is_elsewhere(&self, backend: &Backend, cluster: &[u8]) -> bool {
        let is_baselines =
            || backend.cluster.is_none() && !cluster.is_empty() && self.seen.get() == hash_of(b"", cluster);
        backend.names_another(cluster) || is_baselines()
    }
}

impl Backend {
    /// The gauge that is 1 while this backend is switched off.
    pub(super) fn guard_series(&self) -> usize {
        self.series.saturating_add(GUARD)
    }

    /// The gauge that has the buckets which a ramp gives this backend now.
    pub(super) fn ramp_series(&self) -> usize {
        self.series.saturating_add(RAMP)
    }

    /// Whether a request ended in another cluster than its own, as far as names show it: the name that the
    /// policy gives, or Istio's. Another port of the same service is not another cluster.
    pub(super) fn names_another(&self, cluster: &[u8]) -> bool {
        !cluster.is_empty()
            && match &self.cluster {
                Some(named) => !istio::differ_by_port_at_most(named, cluster),
                None => !self.may_be(cluster),
            }
    }

    /// Whether a cluster is of the host that is asked for, as far as its name shows it.
    fn may_be(&self, cluster: &[u8]) -> bool {
        let authority = self.to.as_ref().and_then(|to| to.authority());
        match (authority, istio::parts(cluster)) {
            (Some(host), Some([_, _, _, service])) => istio::is_of(service, host),
            _ => true,
        }
    }
}
