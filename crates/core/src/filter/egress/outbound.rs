//! What a host does for a policy that judges what goes out.

use super::learn::Learning;
use crate::matching::request::Request;
use crate::policy::Policy;

/// A policy on calls that leave: calls that come in to a workload pass as they are.
pub trait Outbound: Policy {
    /// What more must be known about the route of this request. Its cluster is known already.
    fn asks(&self, request: &Request<'_>) -> RouteAsk;

    /// How to remember [`Decision::unlisted`](crate::Decision::unlisted). If `None`, nothing is
    /// remembered.
    fn learning(&self) -> Option<&Learning>;
}

/// What must be read of a route besides its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteAsk {
    /// The name of its virtual host.
    pub virtual_host: bool,
    /// Whether its virtual host has no other route.
    pub is_only: bool,
}
