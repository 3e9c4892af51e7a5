//! What a host does for a policy whose destinations are guarded.

use super::guard::Guards;
use super::rollback::{Roll, Watched};
use super::served::Served;
use super::splitter::Splitter;
use super::verdict::Verdict;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::policy::series::Measurement;
use crate::wire::host::Host;

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

    /// The rollbacks of splits: what they know lives from request to request, and the VMs of a proxy share it.
    fn rolls(&self) -> Vec<Roll<'_>>;

    /// Watches a request that a rollback judges; `now` says the microsecond.
    fn watches(
        &self,
        verdict: &Self::Verdict,
        request: &Request<'_>,
        now: &dyn Fn() -> u64,
    ) -> Option<Box<Watched>>;

    /// The policy as the rollbacks know it.
    fn splitter(&self) -> &Splitter;

    /// What the host must read to show what became of this request; `None` if it is not measured.
    fn wants(&self, verdict: &Self::Verdict) -> Option<Wants>;

    /// Whether the host must read Envoy's response flags of a request that was answered with this code, or with
    /// 0 for none.
    fn asks_flags(&self, verdict: &Self::Verdict, code: u16) -> bool;

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
pub struct Wants {
    /// The cluster that served it.
    pub cluster: bool,
    /// Where Envoy's route led before this request was rewritten. It must be read before the rewrite.
    pub before: bool,
    /// Whether an upstream answered.
    pub upstream: bool,
}

impl Guarded for Splitter {
    fn concerns(&self, authority: &[u8]) -> bool {
        let host = Host::of(authority);
        match &self.inbound {
            Some(canaries) => canaries.iter().any(|canary| host.name().starts_with(canary.as_bytes())),
            None => self.hosts.as_ref().is_none_or(|hosts| hosts.contains(&host)),
        }
    }

    fn asks_authority_first(&self) -> bool {
        self.authority_first
    }

    fn guards(&self) -> &Guards {
        &self.guards
    }

    fn weights(&self, now: u64) -> Vec<Measurement> {
        self.weights_at(now)
    }

    fn rolls(&self) -> Vec<Roll<'_>> {
        Self::rolls(self).collect()
    }

    fn watches(
        &self,
        verdict: &Option<Verdict>,
        request: &Request<'_>,
        now: &dyn Fn() -> u64,
    ) -> Option<Box<Watched>> {
        self.watch(verdict.as_ref()?, request, now)
    }

    fn splitter(&self) -> &Splitter {
        self
    }

    fn wants(&self, verdict: &Option<Verdict>) -> Option<Wants> {
        let verdict = verdict.as_ref().filter(|_| self.common.needs.outcome)?;
        Some(Wants {
            cluster: self.compares_clusters(verdict),
            before: self.is_guarded(verdict),
            upstream: verdict.is_try,
        })
    }

    fn asks_flags(&self, verdict: &Option<Verdict>, code: u16) -> bool {
        verdict.as_ref().is_some_and(|verdict| self.doubts_code(verdict, code))
    }

    fn asks_address(&self, verdict: &Option<Verdict>, served: &Served<'_>) -> bool {
        verdict.as_ref().is_some_and(|verdict| self.doubts_address(verdict, served))
    }

    fn is_suspect(&self, verdict: &Option<Verdict>, served: &Served<'_>) -> bool {
        verdict.as_ref().is_some_and(|verdict| self.is_suspicious(verdict, served))
    }

    fn served(&self, verdict: &Option<Verdict>, served: &Served<'_>) -> Vec<Measurement> {
        verdict.as_ref().map(|verdict| self.measure(verdict, served)).unwrap_or_default()
    }
}
