//! What a tag has read from a request.

/// What a tag has read from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Captured {
    /// Nothing: it is read in the log phase.
    Later,
    /// A value that the registry knows.
    Known(u32),
    /// A bounded value that the registry did not know.
    Text(Box<str>),
    /// The rules of an attribute that depend on the response, and after them the first rule that does
    /// not.
    Rules(Vec<u32>),
}
