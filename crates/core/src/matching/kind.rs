//! Where a value is read from.

/// Where an index term is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Method,
    Path,
    /// One value of a header; each header line has its own terms.
    Header,
    /// All values of a header as one.
    Joined,
    Cookie,
    Query,
    /// The values under a path of dynamic metadata.
    Metadata,
    Principal,
    Address,
}
