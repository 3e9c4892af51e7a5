//! The filters by name, for those who hold a policy and not its type.

use crate::filter::egress::Egress;
use crate::filter::router::Router;
use crate::filter::split::Splitter;
use crate::filter::tags::Tagger;
use crate::language::invalid::Invalid;
use crate::language::tree::Tree;
use crate::policy::Policy;

#[cfg(test)]
mod tests;

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
