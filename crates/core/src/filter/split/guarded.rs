//! What a host does for a policy whose destinations are guarded.

use super::guard::Guards;
use super::served::Served;
use crate::policy::Policy;
use crate::policy::series::Measurement;

/// A policy that watches what becomes of requests, so that a destination that is not there is
/// switched off.
pub trait Guarded: Policy {
    /// Whether `:authority` alone is worth reading first: [`Self::concerns`] may need no more.
    fn asks_authority_first(&self) -> bool;

    /// Whether a request to this authority can be decided on at all.
    fn concerns(&self, authority: &[u8]) -> bool;

    /// What is watched from request to request, and shared by the VMs of a proxy.
    fn guards(&self) -> &Guards;

    /// What must be read to tell what became of this request; `None` if it is not measured.
    fn wants(&self, verdict: &Self::Verdict) -> Option<Wants>;

    /// Whether it must be known what earlier filters did to this request; asked when it has
    /// been served.
    fn is_suspect(&self, verdict: &Self::Verdict, served: &Served<'_>) -> bool;

    /// What to measure once the request has been served.
    fn served(&self, verdict: &Self::Verdict, served: &Served<'_>) -> Vec<Measurement>;
}

/// What must be read of a request that has been served, beside code, cluster and duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Envoy's response flags, and the time.
    pub flags: bool,
    /// Where Envoy's route led before this request was rewritten. Read before that.
    pub before: bool,
    /// Whether an upstream answered.
    pub upstream: bool,
}
