//! One tag.

use super::bound::Bound;
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
