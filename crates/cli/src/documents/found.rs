//! A policy in a document.

use super::kind::Kind;
use crate::filter::Filter;
use crate::source::Node;

/// A policy, and where it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The filter that it is for, if anything names it.
    pub filter: Option<Filter>,
    /// The policy, with its places in the file.
    pub policy: Node,
    /// The VM configuration beside it.
    pub vm: Option<Node>,
    /// The kind of document that it was found in.
    pub within: Kind,
}
