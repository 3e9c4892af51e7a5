//! The filters, each in a folder of the same shape, and the table of them. A new filter is a folder and
//! two lines here.

pub mod egress;
pub mod lanes;
pub mod merged;
pub mod router;
pub mod split;
pub mod tags;
#[cfg(test)]
mod tests;

use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::policy::Policy;

/// Calls `$with!` with a line for each filter: its name in code, its policy, what its host does beside
/// deciding, and how Istio attaches it (phase and priority) unless the operator chooses otherwise.
///
/// The router runs after JWT authentication, so that it can trust claims. Lanes are remembered as it left
/// them. Tags run when it is known what was decided. Egress decides on a request as it leaves, and so it runs last. `narrows` is
/// all of them in one.
#[macro_export]
macro_rules! filters {
    ($with:ident) => {
        $with! {
            HeaderRouter: $crate::filter::router::Router, Plain => "AUTHZ" 200;
            TrafficLanes: $crate::filter::lanes::Lanes, Laned => "STATS" 250;
            CanarySplit: $crate::filter::split::Splitter, Guarded => "STATS" 200;
            MetricTags: $crate::filter::tags::Tagger, Metered => "STATS" 100;
            EgressPolicy: $crate::filter::egress::Egress, Outbound => "STATS" 50;
            Narrows: $crate::filter::merged::Merged, Merged => "STATS" 200;
        }
    };
}

macro_rules! by_name {
    ($($filter:ident: $policy:ty, $beside:ident => $phase:literal $priority:literal;)+) => {
        /// The names of all filters.
        pub const FILTERS: &[&str] = &[$(<$policy>::FILTER),+];

        /// Compiles a policy for the filter of that name and forgets it; `None` if there is
        /// no such filter.
        pub fn check(filter: &str, policy: &PolicyValue) -> Option<Result<(), Invalid>> {
            $(if filter == <$policy>::FILTER {
                return Some(<$policy>::compile(policy).map(drop));
            })+
            None
        }
    };
}

filters!(by_name);
