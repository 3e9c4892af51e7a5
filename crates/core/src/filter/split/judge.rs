//! Whether a request that failed proves that its backend is not there.
//!
//! A client can send anything. What Envoy would have served nowhere, with or without the split, proves
//! nothing about a backend. So a failure counts if Envoy had a route for the request before it was
//! rewritten, and that route led to another cluster than the one in which the request ended. A client
//! cannot choose which virtual host takes the host of a backend: where that is the virtual host of
//! every host, no request can get to the backend.

use super::guard::Outcome;
use super::istio::{self, Taker};
use super::splitter::{Backend, Split, Splitter};
use super::verdict::Verdict;
use crate::action::destination::Destination;
use crate::filter::split::served::{Missing, NOWHERE, Served};
use crate::order::hash_of;

impl Splitter {
    /// Whether to ask where the request was routed before it was rewritten: see [`crate::Before`].
    pub(super) fn is_guarded(&self, verdict: &Verdict) -> bool {
        let guard = self.backend_of(verdict).and_then(|backend| backend.guard);
        self.is_sent_away(verdict) && guard.is_some_and(|guard| self.guards.is_passive(guard))
    }

    /// Whether a request went wrong in a way for which more must be known.
    pub(super) fn is_suspicious(&self, verdict: &Verdict, served: &Served<'_>) -> bool {
        let is_elsewhere =
            || self.backend_of(verdict).is_some_and(|backend| backend.names_another(served.cluster));
        served.before.is_some() && (served.missing().is_some() || is_elsewhere())
    }

    /// Whether a code does not show what became of a request. A request that found no host, cluster or route
    /// is answered with an error, unless it is a call of gRPC. A rollback must know too who broke off.
    pub(super) fn doubts_code(&self, verdict: &Verdict, code: u16) -> bool {
        let is_served = (100..400).contains(&code) && !verdict.is_grpc;
        self.is_judged(verdict) || (self.is_sent_away(verdict) && !is_served)
    }

    /// Whether a cluster may have no addresses of its own, so that a request goes where the caller's
    /// connection was going. It is asked once for each cluster that has.
    pub(super) fn doubts_address(&self, verdict: &Verdict, served: &Served<'_>) -> bool {
        let is_known = |backend: &Backend| backend.addressed.get() == hash_of(b"", served.cluster);
        self.is_sent_away(verdict)
            && !served.cluster.is_empty()
            && self.backend_of(verdict).is_some_and(|backend| !is_known(backend))
    }

    fn backend_of(&self, verdict: &Verdict) -> Option<&Backend> {
        self.splits.get(verdict.split)?.backends.get(verdict.backend)
    }
}

impl Splitter {
    /// What became of a request that was sent to `backend`.
    pub(super) fn outcome(&self, backend: &Backend, verdict: &Verdict, served: &Served<'_>) -> Outcome {
        let is_missing = served.missing().is_some() || served.at_dialled == Some(true);
        if !is_missing && !backend.names_another(served.cluster) {
            return if served.by_upstream { Outcome::Served } else { Outcome::Unknown };
        }
        let Some(before) = &served.before else { return Outcome::Unknown };
        if verdict.is_connect || before.is_forged {
            return Outcome::Unknown;
        }
        let taken_by = Taker::of(before.taken_by);
        let is_certain = is_missing || backend.cluster.is_some() || taken_by == Taker::Rest;
        let is_led = !before.cluster.is_empty() && !NOWHERE.contains(&before.cluster);
        let counts = if is_led {
            is_certain && before.cluster != served.cluster
        } else {
            // Envoy has not matched what an earlier rule made of the request, nor where the baseline's
            // own destination leads. Then a failure counts only if the request has a route now.
            let split = self.splits.get(verdict.split);
            let is_unknown = before.is_rewritten || split.is_some_and(Split::has_own_baseline);
            is_unknown && split.is_some_and(|split| split.has_a_route_now(served))
        };
        if counts || self.keeps(backend, verdict, &taken_by) { Outcome::Absent } else { Outcome::Unknown }
    }

    /// Whether the host of a backend was taken by the virtual host of the split's own hosts, as on a port
    /// that Istio has to sniff, or by one of every host, as at a waypoint.
    fn keeps(&self, backend: &Backend, verdict: &Verdict, taken_by: &Taker<'_>) -> bool {
        let Some(authority) = backend.to.as_ref().and_then(Destination::authority) else { return false };
        let mut matches = self.split_matches.iter().filter(|one| one.split == verdict.split);
        match taken_by {
            Taker::Inbound => true,
            Taker::Host(host) => {
                !istio::is_of(host.name(), authority) && matches.any(|one| one.matches.names(host))
            }
            Taker::Rest | Taker::Unknown => false,
        }
    }
}

impl Split {
    fn has_own_baseline(&self) -> bool {
        self.backends.get(self.baseline).is_some_and(|baseline| baseline.to.is_some())
    }

    /// Whether a route led to what is missing, and not to the place where the baseline is served.
    fn has_a_route_now(&self, served: &Served<'_>) -> bool {
        match served.missing() {
            Some(Missing::Cluster) => true,
            Some(Missing::Host) => self.seen.get() != hash_of(b"", served.cluster),
            _ => false,
        }
    }
}
