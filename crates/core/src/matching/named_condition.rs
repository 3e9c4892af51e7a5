//! Conditions on the value under a name.

use super::value::ValueMatch;

/// A condition on the value under a name.
#[derive(Clone, Debug)]
pub(crate) struct NamedCondition {
    pub(crate) name: Box<[u8]>,
    pub(crate) value: ValueMatch,
}

/// A condition on a query parameter.
#[derive(Clone, Debug)]
pub(crate) struct QueryMatch {
    pub(crate) named: NamedCondition,
    /// Whether any of several values may meet it, or only the first.
    pub(crate) any: bool,
}
