//! `metric-tags`: counts requests in series whose labels an operator chooses, and
//! whose number is bounded.
//!
//! A request is read twice: what it said when it came ([`Verdict`]) and what became of
//! it in the log phase. Each tag has one bounded, printable value of the two; a metric
//! is counted in the series of its tags' values. Envoy never forgets a series, so the
//! [`CardinalityLimit`] admits values and series up to a limit, and what is beyond it is counted
//! under `other`, or in the one series with `overflow="true"`.

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
mod rules;
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

pub use cardinality_limit::{Ask, CardinalityLimit, Path, Report};
pub use metered::Metered;

/// A compiled `metric-tags` policy.
#[derive(Clone, Debug, Default)]
pub struct Tagger {
    common: Common,
    /// Requests that are not measured at all.
    exclude: Vec<Match>,
    tags: Vec<Tag>,
    metrics: Vec<Metric>,
    meter: CardinalityLimit,
}

/// What is remembered of a request until its end: what its tags read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request is measured.
    measured: bool,
    /// By the tag's place.
    values: Vec<Captured>,
    /// The tags that have been published already, a bit for each.
    published: u32,
    /// Whether the request was gRPC.
    grpc: bool,
}
