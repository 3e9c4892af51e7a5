//! What a host does for a policy whose destinations are guarded.

use super::guard::Guards;
use super::served::Served;
use crate::policy::Policy;
use crate::policy::series::Measurement;

/// A policy that watches what becomes of requests, so that a destination that is not there is switched
/// off.
pub trait Guarded: Policy {
    /// Whether to read `:authority` alone first, because [`Self::concerns`] may need no more.
    fn asks_authority_first(&self) -> bool;

    /// Whether the policy may decide anything on a request to this authority.
    fn concerns(&self, authority: &[u8]) -> bool;

    /// The guards: they live from request to request, and the VMs of a proxy share them.
    fn guards(&self) -> &Guards;

    /// What the gauges of ramps show at a moment, in seconds since the epoch: the policy has ramps if it
    /// needs the time.
    fn weights(&self, now: u64) -> Vec<Measurement>;

    /// What the host must read to show what became of this request; `None` if it is not measured.
    fn wants(&self, verdict: &Self::Verdict) -> Option<Wants>;

    /// Whether the host must find out at which address this request was served.
    fn asks_address(&self, verdict: &Self::Verdict, served: &Served<'_>) -> bool;

    /// Whether the host must find out what took this request, and what earlier filters did to it. The host asks
    /// after it has been served.
    fn is_suspect(&self, verdict: &Self::Verdict, served: &Served<'_>) -> bool;

    /// What to measure once the request has been served.
    fn served(&self, verdict: &Self::Verdict, served: &Served<'_>) -> Vec<Measurement>;
}

/// What must be read of a request that has been served, besides code and duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent wants")]
pub struct Wants {
    /// The cluster that served it.
    pub cluster: bool,
    /// Envoy's response flags, and the time.
    pub flags: bool,
    /// Where Envoy's route led before this request was rewritten. It must be read before the rewrite.
    pub before: bool,
    /// Whether an upstream answered.
    pub upstream: bool,
}
