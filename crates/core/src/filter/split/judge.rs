//! Whether a request that failed proves that its backend is not there.
//!
//! A client can send anything. What Envoy would have served nowhere, with or without the split, proves
//! nothing about a backend. So a failure counts if Envoy had a route for the request before it was
//! rewritten, and that route led to another cluster than the one in which the request ended.

use super::guard::Outcome;
use super::{Backend, Split, Splitter, Verdict, istio};
use crate::filter::split::served::{Missing, NOWHERE, Served};
use crate::order::hash_of;

impl Splitter {
    /// Whether to ask where the request was routed before it was rewritten: see [`crate::Before`].
    pub(super) fn is_guarded(&self, verdict: &Verdict) -> bool {
        let backend = self.splits.get(verdict.split).and_then(|split| split.backends.get(verdict.backend));
        let guard = backend.and_then(|backend| backend.guard);
        self.is_sent_away(verdict) && guard.is_some_and(|guard| self.guards.is_passive(guard))
    }

    /// Whether a request went wrong in a way for which more must be known.
    pub(super) fn is_suspicious(&self, verdict: &Verdict, served: &Served<'_>) -> bool {
        let split = self.splits.get(verdict.split);
        let named = split.and_then(|split| split.backends.get(verdict.backend)?.cluster.as_deref());
        served.before.is_some() && (served.missing().is_some() || is_other(named, served.cluster))
    }
}

impl Split {
    /// What became of a request that was sent to `backend`.
    pub(super) fn outcome(&self, backend: &Backend, verdict: &Verdict, served: &Served<'_>) -> Outcome {
        let is_elsewhere = is_other(backend.cluster.as_deref(), served.cluster);
        if served.missing().is_none() && !is_elsewhere {
            return if served.by_upstream { Outcome::Served } else { Outcome::Unknown };
        }
        let Some(before) = &served.before else { return Outcome::Unknown };
        if verdict.is_connect || before.is_forged {
            return Outcome::Unknown;
        }
        let is_led = !before.cluster.is_empty() && !NOWHERE.contains(&before.cluster);
        let counts = if is_led {
            before.cluster != served.cluster
        } else {
            // Envoy has not matched what an earlier rule made of the request, nor where the baseline's
            // own destination leads. Then a failure counts only if the request has a route now.
            let is_unknown = before.is_rewritten || self.has_own_baseline();
            is_unknown && self.has_a_route_now(served)
        };
        if counts { Outcome::Absent } else { Outcome::Unknown }
    }

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

/// Whether a request ended in another cluster than the one that the policy names for its backend.
/// Another port of the same service is not another cluster.
fn is_other(named: Option<&[u8]>, cluster: &[u8]) -> bool {
    let is_other = |named| !cluster.is_empty() && !istio::differ_by_port_at_most(named, cluster);
    named.is_some_and(is_other)
}
