//! What a host does for a policy whose series get their names while requests are served.

use super::cardinality_limit::{Admission, CardinalityLimit, Report};
use crate::policy::Policy;

/// A policy that measures requests when they have been served. Its series get their names then.
pub trait Metered: Policy {
    /// The bounded memory of those series; none if there is nothing to measure.
    fn cardinality_limit(&self) -> Option<&CardinalityLimit>;

    /// Whether this request is measured.
    fn is_measured(&self, verdict: &Self::Verdict) -> bool;

    /// What to measure, given the properties that [`CardinalityLimit::reads`] asked for. Called only if
    /// [`Self::cardinality_limit`] gives a cardinality limit.
    fn report(&self, verdict: &Self::Verdict, observed: &[Option<Vec<u8>>], admission: Admission) -> Report;
}
