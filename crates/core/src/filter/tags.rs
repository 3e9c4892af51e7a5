//! `metric-tags`: counts requests in series. An operator chooses their labels; their number is bounded.
//!
//! A request is read twice: its own contents when it comes ([`Verdict`]), and its outcome in the log
//! phase. Each tag gets one bounded, printable value from the two. A metric is counted in the series of
//! its tags' values. Envoy never forgets a series. So the [`CardinalityLimit`] admits values and series
//! up to a limit. What is beyond it is counted under `other`, or in the one series with
//! `overflow="true"`.

mod attribute_rules;
mod attributes;
mod bound;
mod capture;
mod captured;
mod cardinality_limit;
mod classes;
mod compile;
mod condition;
mod decide;
mod draft;
mod hosts;
mod label;
mod metered;
mod metric;
mod paths;
mod property;
mod registry;
mod report;
mod source;
mod stock;
mod tag;
#[cfg(test)]
mod tests;

use crate::matching::matches::Match;
use crate::policy::common::Common;
use captured::Captured;
use metric::Metric;
use tag::Tag;

pub use cardinality_limit::{Admission, CardinalityLimit, Path, Report};
pub use metered::Metered;

/// A compiled `metric-tags` policy.
#[derive(Clone, Debug, Default)]
pub struct Tagger {
    common: Common,
    /// Requests that are not measured at all.
    exclude: Vec<Match>,
    tags: Vec<Tag>,
    metrics: Vec<Metric>,
    cardinality: CardinalityLimit,
}

/// What is remembered of a request until its end: what its tags read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request is measured.
    measured: bool,
    /// By the tag's index.
    values: Vec<Captured>,
    /// The tags that have already been published, a bit for each.
    published: u32,
    /// Whether the request was gRPC.
    grpc: bool,
}
