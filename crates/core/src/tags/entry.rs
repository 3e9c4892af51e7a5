//! What the workers of a proxy tell each other: one entry of their log for each value
//! and each series.
//!
//! An entry names all that makes a series of Envoy: its kind and its labels as they
//! are written. A policy that would write it in another way does not know it, and
//! counts it, for Envoy keeps it.

use crate::names::joined;
use crate::series::{Kind, Series};

/// Separates the words of an entry; no value holds it.
const SEPARATOR: &str = "\u{1f}";
/// The first words of entries.
pub(super) const VALUE: &str = "v";
pub(super) const SERIES: &str = "s";
pub(super) const OVERFLOW: &str = "o";

/// An entry of the log, as a policy understands it.
pub(super) enum Entry<'e> {
    /// A value of a tag.
    Value(usize, &'e str),
    /// A series: its key, its metric, the values of the metric's tags.
    Series(Vec<u8>, usize, Vec<u32>),
    /// The series that takes what is beyond the limit, of a metric.
    Overflow(usize),
    /// A series of an older policy.
    Foreign,
}

/// An entry of these words.
pub(super) fn entry<'w>(mut words: impl Iterator<Item = &'w str>) -> Vec<u8> {
    joined(&mut words, SEPARATOR).into_bytes()
}

/// The words of an entry.
pub(super) fn words(entry: &[u8]) -> Option<impl Iterator<Item = &str>> {
    std::str::from_utf8(entry).ok().map(|text| text.split('\u{1f}'))
}

/// A series as one entry names it.
pub(super) fn overflow(series: &Series) -> Vec<u8> {
    entry([OVERFLOW, letter(series.kind), &series.name].into_iter())
}

/// A word for each kind.
pub(super) fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "c",
        Kind::Gauge => "g",
        Kind::Histogram => "h",
    }
}
