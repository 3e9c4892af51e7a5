//! What a tag has read of a request.

/// What a tag has read of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Captured {
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
