//! A filter's policy as a part of a merged policy.

use super::Policy;
use super::written::Written;
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::matching::request::Request;

/// A policy that may be a part of a merged one.
pub trait Part: Policy {
    /// How the policy is written as a part: without the fields that all parts share.
    const PART: &'static Object;

    /// Compiles the policy, alone or as a part.
    fn compile_written(written: Written<'_>) -> Result<Self, Invalid>;

    /// Whether requests count that an earlier filter, an earlier part, or Envoy itself has answered.
    fn counts_answered(&self) -> bool {
        false
    }

    /// Whether this part decides on a request before all others, wherever it is in the order.
    fn comes_first(&self, _request: &Request<'_>) -> bool {
        false
    }
}
