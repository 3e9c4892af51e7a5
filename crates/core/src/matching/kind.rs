//! Where a value is read from.

/// Where a fact is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Method,
    Path,
    /// One value of a header; each line has its own facts.
    Header,
    /// All values of a header as one.
    Joined,
    Cookie,
    Query,
    Principal,
    Address,
}
