//! The filters by name, for those who hold a policy and not its type.

use crate::egress::Egress;
use crate::invalid::Invalid;
use crate::policy::Policy;
use crate::router::Router;
use crate::split::Splitter;
use crate::tags::Tagger;
use crate::tree::Tree;

/// The names of all filters.
pub const FILTERS: &[&str] = &[Router::FILTER, Splitter::FILTER, Tagger::FILTER, Egress::FILTER];

/// Compiles a policy for the filter of that name and forgets it; `None` if there is
/// no such filter.
pub fn check(filter: &str, policy: &Tree) -> Option<Result<(), Invalid>> {
    match filter {
        Router::FILTER => Some(Router::compile(policy).map(drop)),
        Splitter::FILTER => Some(Splitter::compile(policy).map(drop)),
        Tagger::FILTER => Some(Tagger::compile(policy).map(drop)),
        Egress::FILTER => Some(Egress::compile(policy).map(drop)),
        _ => None,
    }
}
