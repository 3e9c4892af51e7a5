//! `metric-tags`: counts requests in series whose labels an operator chooses, and
//! whose number is bounded.
//!
//! A request is read twice: what it said when it came ([`Verdict`]) and what became of
//! it in the log phase. Each tag has one bounded, printable value of the two; a metric
//! is counted in the series of its tags' values. Envoy never forgets a series, so the
//! [`Meter`] admits values and series up to a limit, and what is beyond it is counted
//! under `other`, or in the one series with `overflow="true"`.

mod attributes;
mod book;
mod bound;
mod capture;
mod classes;
mod compile;
mod condition;
mod decide;
mod hosts;
mod label;
mod meter;
mod metered;
mod metric;
mod paths;
mod property;
mod report;
mod source;
mod stock;
#[cfg(test)]
mod tests;
use crate::matching::matches::Match;
use crate::policy::common::Common;
use bound::Bound;
use metric::Metric;
use source::Source;

pub use meter::{Ask, Meter, Path, Report};
pub use metered::Metered;

/// A compiled `metric-tags` policy.
#[derive(Clone, Debug, Default)]
pub struct Tagger {
    common: Common,
    /// Requests that are not measured at all.
    exclude: Vec<Match>,
    tags: Vec<Tag>,
    metrics: Vec<Metric>,
    meter: Meter,
}

/// A tag: where its value is read, and what it may be.
#[derive(Clone, Debug)]
struct Tag {
    name: Box<str>,
    source: Source,
    bound: Bound,
    /// The filter state in which the value is published.
    state: Option<Box<str>>,
    /// Whether a metric counts by it, or it is published.
    used: bool,
    /// The place of the series that counts its dropped values.
    dropped: usize,
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

/// What a tag has read of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Captured {
    /// Nothing: it is read in the log phase.
    Later,
    /// A value that the book knows.
    Known(u32),
    /// A bounded value that it did not know.
    Text(Box<str>),
    /// The rules of an attribute that depend on the response, and the first that
    /// does not.
    Rules(Vec<u32>),
}

/// The tag name that marks the series beyond `maxSeries`.
const OVERFLOW: &str = "overflow";
