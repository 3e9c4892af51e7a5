//! One tag.

use super::bound::Bound;
use super::registry::MISSING;
use super::source::AnySource;

/// A tag: where its value is read from, and which values it may have.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) name: Box<str>,
    pub(super) source: AnySource,
    pub(super) bound: Bound,
    /// The filter state in which the value is published.
    pub(super) state: Option<Box<str>>,
    /// Whether a metric counts by it, or it is published.
    pub(super) used: bool,
    /// The index of the series that counts its dropped values.
    pub(super) dropped: usize,
}

impl Tag {
    /// Whether a value is published. If no rule gives an attribute, it has no value, as in Istio.
    pub(super) fn publishes(&self, value: u32) -> bool {
        value != MISSING || !matches!(self.source, AnySource::Rules(_))
    }
}
