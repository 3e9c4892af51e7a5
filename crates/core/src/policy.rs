//! What every filter's policy is, and the parts that each has.
//!
//! What only some filters do besides deciding is a trait of its own, next to the filter:
//! [`Guarded`](crate::split::Guarded), [`Metered`](crate::tags::Metered),
//! [`Outbound`](crate::egress::Outbound).

pub(crate) mod code_class;
pub(crate) mod common;
pub(crate) mod decision;
pub(crate) mod digest;
pub(crate) mod head;
pub mod lease;
pub(crate) mod needs;
pub(crate) mod outcome;
pub(crate) mod part;
pub(crate) mod record;
pub(crate) mod series;
#[cfg(any(test, feature = "describe"))]
pub mod signals;
pub mod state;
pub mod vm_config;
pub(crate) mod written;

use std::borrow::Cow;

use crate::action::edit::Edit;
use crate::action::sanitize;
use crate::language::describe::Object;
use crate::language::invalid::{Fault, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Recall, Request};
use common::Common;
use decision::Decision;
use outcome::Outcome;
use record::Record;

/// A compiled policy: it cannot be wrong any more, and it decides.
pub trait Policy: Sized {
    /// The filter's name, as `filter` in a policy and in metrics.
    const FILTER: &'static str;

    /// Whether a bad first policy is refused even when not strict. True only where letting traffic pass
    /// would be worse than stopping it.
    const FAIL_CLOSED: bool = false;

    /// How a policy is written.
    const LANGUAGE: &'static Object;

    /// What is remembered from the request until its end.
    type Verdict;

    /// Compiles what the operator wrote into something that cannot be wrong. An empty table is a
    /// pass-through. What was written is given up on the way: that takes less memory.
    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid>;

    /// The same for a policy that somebody still needs as it was written.
    fn compile(tree: &PolicyValue) -> Result<Self, Invalid> {
        Self::compile_once(tree.clone())
    }

    /// The part that every compiled policy has.
    fn common(&self) -> &Common;

    /// What was loaded, in a few words for the log.
    fn summary(&self) -> String;

    /// Warnings for the log and for lint: what the operator probably did not mean, though nothing is
    /// wrong.
    fn warnings(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// Judges a request from which everything that its sender must not set has been removed. What must
    /// be done goes into `decision`. What the explain record shows goes into `record`, if a record is
    /// wanted.
    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Self::Verdict;

    /// What was decided, for tools: the filter state that the filter writes, unless the filter knows
    /// more.
    fn outcome(&self, _verdict: &Self::Verdict, decision: &Decision<'_>) -> Outcome {
        Outcome::of_state(decision)
    }

    /// For tools, which have no proxy: what would be remembered for a call if these requests had come in and
    /// been served, one after the other, `now`, in milliseconds since the epoch.
    fn recall(&self, _earlier: &[Request<'_>], _request: &Request<'_>, _now: u64) -> Recall {
        Recall::Idle
    }

    /// Whether a trailer of that name must not go on, given what was decided on its request: as a
    /// header it would have been removed, or written by a filter. No filter writes trailers, so every
    /// trailer is the client's.
    fn drops_trailer(&self, _verdict: &Self::Verdict, name: &[u8]) -> bool {
        self.common().sanitizer.covers_trailer(name)
    }

    /// Decides. Same inputs, same answer, on any machine, for ever.
    fn decide<'a>(&'a self, mut request: Request<'a>) -> (Decision<'a>, Self::Verdict) {
        self.decide_on(&mut request)
    }

    /// The same, where the request is. Afterwards it is as the policy left it to its rules.
    ///
    /// The order is the same for every filter, and no filter can leave a step out: sanitise, judge,
    /// leave the provenance for later filters, explain.
    fn decide_on<'a>(&'a self, request: &mut Request<'a>) -> (Decision<'a>, Self::Verdict) {
        let Common { head, sanitizer, needles, judges_presented, .. } = self.common();
        request.search_for(needles);
        let presented = request.believe(head.callers);
        let removed = sanitizer.apply(request);
        let is_stripped = !removed.is_empty();
        let stripped = if sanitizer.reports() { Vec::new() } else { removed };
        let mut decision = Decision { stripped, is_stripped, ..Decision::default() };
        let explain = head.explain.as_ref().filter(|explain| explain.when.matches(request));
        if *judges_presented {
            request.believe_presented(presented);
        }
        let mut record = explain.map(|_| Record::new(Self::FILTER));
        let verdict = self.judge(request, &mut decision, record.as_mut());
        if head.is_silent {
            decision.unpublished = std::mem::take(&mut decision.state);
        }
        let provenance =
            sanitizer.state(request.stripped(), &decision.stripped, &decision.request, &decision.already_set);
        let provenance = provenance.filter(|said| !head.is_silent || sanitize::has_marks(said));
        decision.state.extend(provenance.map(|provenance| (sanitize::PROVENANCE, provenance)));
        if let (Some(explain), Some(record)) = (explain, record.and_then(Record::into_bytes)) {
            decision.response.push(Edit::Add((&*explain.header).into(), Cow::Owned(record)));
        }
        (decision, verdict)
    }
}
