//! What a filter does beside deciding.
//!
//! The extension is a static type, not data: a module holds only the code of the extension that its
//! filter names.

pub(crate) mod guarding;
pub(crate) mod measuring;
pub(crate) mod outgoing;
pub(crate) mod remembering;
mod rolling;
mod series_log;

use std::time::Duration;

use narrows_core::egress::RouteAsk;
use narrows_core::set_cookie::SetCookie;
use narrows_core::{Decision, Policy, Request, Trail};

use crate::lease::{self, Plugin};
use crate::metric::Ids;
use crate::node::Node;

/// What a filter does beside deciding. Every method except `load` has a default, which does nothing.
pub trait Extension<P: Policy>: Sized + 'static {
    /// What it keeps of a request until its end.
    type Kept: Default;

    /// Starts with a policy whose series have been defined.
    fn load(policy: &P, ids: &Ids, plugin: &Plugin) -> Self;

    /// How many series a policy allows its filter.
    fn limit(_policy: &P) -> u32 {
        0
    }

    /// Receives the number of series that the policies of all plugins allow.
    fn allow(&self, _policy: &P, _ids: &Ids, _limit: u32) {}

    /// How often [`Self::tick`] is called.
    fn period(&self, _policy: &P) -> Duration {
        lease::RENEW
    }

    /// Called once per [`Self::period`].
    fn tick(&self, _policy: &P, _ids: &Ids) {}

    /// Whether a request passes unchanged. The answer must need only values that cost little to read.
    fn skips(&self, _policy: &P, _node: &Node, _authority: &dyn Fn() -> Vec<u8>) -> bool {
        false
    }

    /// The time by which a request is decided, in seconds since the epoch. It is read only for a policy
    /// that needs it.
    fn now(&self) -> u64 {
        0
    }

    /// What else must be known about the route of this request, whose cluster is known.
    fn asks(&self, _policy: &P, _request: &Request<'_>) -> RouteAsk {
        RouteAsk::default()
    }

    /// On which side of a workload a request passes, and what is remembered for it.
    fn trail(&self, _policy: &P, _request: &Request<'_>, _ids: &Ids) -> Trail {
        Trail::Through
    }

    /// Whether it is a part that may decide before all others.
    const MAY_COME_FIRST: bool = false;

    /// Whether this part decides on a request before all others.
    fn comes_first(&self, _policy: &P, _node: &Node) -> bool {
        false
    }

    /// Receives the decision before anything is written.
    fn decided(
        &self,
        _policy: &P,
        _verdict: &P::Verdict,
        _decided: &Decided<'_, '_>,
        _ids: &Ids,
    ) -> Self::Kept {
        Self::Kept::default()
    }

    /// Called when the headers of the response are there.
    fn responds(&self, _policy: &P, _kept: &mut Self::Kept) {}

    /// Whether this request's decision needs the cluster to which Envoy's route led before the request
    /// is rewritten.
    fn wants_before(&self, _policy: &P, _verdict: &P::Verdict) -> bool {
        false
    }

    /// Whether requests count that an earlier filter, or Envoy itself, has answered.
    fn counts_unseen(&self, _policy: &P) -> bool {
        false
    }

    /// Called when a request has been served; `ended` has the cluster that [`Self::wants_before`] asked
    /// for.
    fn ended(&self, _policy: &P, _verdict: &P::Verdict, _kept: Self::Kept, _ended: &Ended<'_>) {}

    /// Gives a cookie with a response; only in the response phase.
    fn give(&self, _cookie: &SetCookie<'_>, _ids: &Ids) {}

    /// Called when a callout was answered or given up. If it was given up, there are no headers.
    fn answered(&self, _policy: &P, _ids: &Ids, _token: u32, _has_headers: bool) {}

    /// Called when the root context ends.
    fn release(&self, _policy: &P, _ids: &Ids) {}
}

/// A request, and what was decided on it.
pub struct Decided<'d, 'r> {
    pub(crate) request: &'d Request<'r>,
    pub(crate) decision: &'d Decision<'r>,
}

/// A request that has been served.
pub struct Ended<'a> {
    pub(crate) ids: &'a Ids,
    pub(crate) node: &'a Node,
    /// The cluster that Envoy's route led to before the request was rewritten.
    pub(crate) before: Option<&'a [u8]>,
}

/// Nothing beside deciding.
impl<P: Policy> Extension<P> for () {
    type Kept = ();

    fn load(_policy: &P, _ids: &Ids, _plugin: &Plugin) -> Self {}
}
