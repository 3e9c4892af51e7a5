//! What a host does for a policy that judges what goes out.

use super::learn::Learning;
use crate::matching::request::Request;
use crate::policy::Policy;

/// A policy on calls that leave: what comes in to a workload passes as it is.
pub trait Outbound: Policy {
    /// What more must be known of the route of this request, whose cluster is known.
    fn asks(&self, request: &Request<'_>) -> RouteAsk;

    /// What to remember of [`Decision::unlisted`](crate::Decision::unlisted); without it nothing is.
    fn learning(&self) -> Option<&Learning>;
}

/// What must be read of a route beside its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteAsk {
    /// The name of its virtual host.
    pub virtual_host: bool,
    /// Whether its virtual host has no other route.
    pub is_only: bool,
}
