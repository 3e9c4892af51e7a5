//! What filters show of themselves, in words: their series, their filter state, the headers that they read
//! and write.
//!
//! The reference is made from these tables. Tests compare them with the series of policies and with the
//! names in the code, so that nothing is missing and nothing is invented.

mod named;

use super::series::Kind;
use super::vm_config;

pub use named::{HEADERS, Named, STATES};

/// A series, or several that differ in the values of their labels.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// The filter; `*` for all of them.
    pub filter: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub text: &'static str,
}

const fn metric(
    name: &'static str,
    kind: Kind,
    filter: &'static str,
    labels: &'static [&'static str],
    text: &'static str,
) -> Metric {
    Metric { name, kind, filter, labels, text }
}

const ROUTER: &str = "header-router";
const LANES: &str = "traffic-lanes";
const SPLIT: &str = "canary-split";
const TAGS: &str = "metric-tags";
const EGRESS: &str = "egress-policy";

/// The filters' own series. Those that a policy of metric-tags defines have the names that it gives them.
pub const METRICS: &[Metric] = &[
    metric(
        vm_config::REJECTED,
        Kind::Gauge,
        "*",
        &["filter"],
        "over 0 while the last policy of any plugin of the filter is a rejected one",
    ),
    metric(
        vm_config::UP,
        Kind::Gauge,
        "*",
        &["filter"],
        "over 0 while the proxy runs a plugin of the filter",
    ),
    metric(
        vm_config::DIGEST,
        Kind::Gauge,
        "*",
        &["filter", "plugin"],
        "the number of the policy that is in force, which `narrows digest` prints; 0 when the plugin is gone",
    ),
    metric(
        "narrows_router_requests_total",
        Kind::Counter,
        ROUTER,
        &["rule"],
        "requests by the rule that acted, or in report mode would have acted first; `missing-host` where rules ask for a host that cannot be read",
    ),
    metric(
        "narrows_lanes_remembered_total",
        Kind::Counter,
        LANES,
        &["lane"],
        "requests with a lane that came in and are remembered, by the value of the policy that lists the lane",
    ),
    metric(
        "narrows_lanes_restored_total",
        Kind::Counter,
        LANES,
        &["lane"],
        "calls that got their lane back, by the value of the policy that lists the lane",
    ),
    metric(
        "narrows_lanes_missing_total",
        Kind::Counter,
        LANES,
        &[],
        "calls with no id that the proxy knows, while it remembers lanes: the application did not forward one",
    ),
    metric(
        "narrows_lanes_evicted_total",
        Kind::Counter,
        LANES,
        &[],
        "ids that were forgotten before their time, or not remembered, because there was no room: `maxTraces` bounds them",
    ),
    metric(
        "narrows_lanes_shared_total",
        Kind::Counter,
        LANES,
        &[],
        "ids that lost their lane, because requests without one have them too, or more than a thousand requests and calls",
    ),
    metric(
        "narrows_lanes_conflict_total",
        Kind::Counter,
        LANES,
        &[],
        "ids that lost their lane, because requests of another lane have them too",
    ),
    metric(
        "narrows_split_requests_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend", "code_class"],
        "requests by the backend that they were sent to and by the class of the answer; `none` if there was no answer",
    ),
    metric(
        "narrows_split_duration_milliseconds",
        Kind::Histogram,
        SPLIT,
        &["split", "backend"],
        "how long requests took",
    ),
    metric(
        "narrows_split_mismatch_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend"],
        "requests that another cluster served than was intended, or none although Envoy had a route before",
    ),
    metric(
        "narrows_split_guard",
        Kind::Gauge,
        SPLIT,
        &["split", "backend"],
        "over 0 while the guard has switched the backend off, at any port",
    ),
    metric(
        "narrows_split_guarded_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend"],
        "requests that the baseline served instead, because the backend is switched off",
    ),
    metric(
        "narrows_split_override_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend"],
        "requests for which a trusted caller chose the backend",
    ),
    metric(
        "narrows_split_buckets",
        Kind::Gauge,
        SPLIT,
        &["split", "backend"],
        "the buckets, of a million, that a ramp gives the backend now",
    ),
    metric(
        "narrows_split_rollback_state",
        Kind::Gauge,
        SPLIT,
        &["split", "backend"],
        "how a backend with a `rollback` is: 0 fine, 1 nothing to compare, 2 suspect, 3 worse (which is reported), 4 switched off",
    ),
    metric(
        "narrows_split_rollbacks_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend", "fault"],
        "how often the backend was found to be worse than the baseline, by `errors`, `latency` or `client_errors`",
    ),
    metric(
        "narrows_split_rolled_back_total",
        Kind::Counter,
        SPLIT,
        &["split", "backend"],
        "requests that the baseline served instead, because the rollback has switched the backend off",
    ),
    metric(
        "narrows_split_rollback_open",
        Kind::Gauge,
        SPLIT,
        &["split", "backend"],
        "requests that the backend is serving: those that began before it was switched off go on",
    ),
    metric("narrows_split_missing_key_total", Kind::Counter, SPLIT, &["split"], "requests without a key"),
    metric(
        "narrows_split_anonymous_ids_total",
        Kind::Counter,
        SPLIT,
        &["split", "result"],
        "pages for which a browser without a key got an id (`issued`), or could not get one: a cache may keep the \
         response (`cacheable`), or the request came by http (`insecure`)",
    ),
    metric(
        "narrows_tags_series",
        Kind::Gauge,
        TAGS,
        &[],
        "how many series there are; `maxSeries` bounds them",
    ),
    metric(
        "narrows_tags_dropped_total",
        Kind::Counter,
        TAGS,
        &["tag"],
        "requests whose value of the tag was one too many, so that it counts as `other`",
    ),
    metric(
        "narrows_egress_requests_total",
        Kind::Counter,
        EGRESS,
        &["rule", "action"],
        "calls by the rule that decided, and what it did: `allow`, `deny`, `would-allow`, `would-deny`",
    ),
    metric(
        "narrows_egress_destinations_total",
        Kind::Counter,
        EGRESS,
        &["destination", "action"],
        "calls by the host of the rule that decided; after 2,000 of them `other`",
    ),
    metric(
        "narrows_egress_unlisted_total",
        Kind::Counter,
        EGRESS,
        &["destination"],
        "calls to hosts that no rule names, by the hosts that `learn` remembers, then `other`",
    ),
    metric(
        "narrows_egress_learned_hosts",
        Kind::Gauge,
        EGRESS,
        &[],
        "how many hosts `learn` remembers; `maxHosts` bounds them",
    ),
    metric(
        "narrows_egress_learn_dropped_total",
        Kind::Counter,
        EGRESS,
        &[],
        "calls that no line of the log reported and that are not remembered, because there were more hosts than `maxHosts`",
    ),
];
