//! What every filter's policy has, and what a host needs of one.
//!
//! What only some filters do beside deciding is a trait of its own, next to the filter:
//! [`Guarded`](crate::split::Guarded), [`Metered`](crate::tags::Metered),
//! [`Outbound`](crate::egress::Outbound).

pub(crate) mod code_class;
pub(crate) mod common;
pub(crate) mod decision;
pub(crate) mod head;
pub mod lease;
pub(crate) mod outcome;
pub(crate) mod record;
pub(crate) mod series;
pub mod state;
pub mod vm_config;

use std::borrow::Cow;

use crate::action::edit::Edit;
use crate::action::strip;
use crate::language::describe::Object;
use crate::language::invalid::{Fault, Invalid};
use crate::language::tree::Tree;
use crate::matching::request::Request;
use common::Common;
use decision::Decision;
use outcome::Outcome;
use record::Record;

/// A compiled policy: it cannot be wrong any more, and it decides.
pub trait Policy: Sized {
    /// The filter's name, as `filter` in a policy and in metrics.
    const FILTER: &'static str;

    /// Whether a bad first policy is refused even when not strict. Only where
    /// letting traffic pass would be worse than stopping it.
    const FAIL_CLOSED: bool = false;

    /// How a policy is written.
    const LANGUAGE: &'static Object;

    /// What is remembered from the request until its end.
    type Verdict;

    /// Turns what the operator wrote into something that cannot be wrong. An empty
    /// table is a pass-through.
    fn compile(tree: &Tree) -> Result<Self, Invalid>;

    /// The part that every compiled policy has.
    fn common(&self) -> &Common;

    /// What was loaded, in a few words for the log.
    fn summary(&self) -> String;

    /// What is likely not meant, though nothing is wrong: for the log, and for lint.
    fn warnings(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// Judges a request from which everything is gone that its sender must not say. What is to be
    /// done goes into `decision`; what an explain record says goes into `record`, if one is wanted.
    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Self::Verdict;

    /// What was decided, for tools: unless a filter knows more, the filter state that it writes.
    fn outcome(&self, _verdict: &Self::Verdict, decision: &Decision<'_>) -> Outcome {
        Outcome::of_state(decision)
    }

    /// Whether a trailer of that name must not go on, given what was decided on its
    /// request: it would be a header that was removed, or that a filter has written. No
    /// filter writes trailers, so what is there is the client's.
    fn drops_trailer(&self, _verdict: &Self::Verdict, name: &[u8]) -> bool {
        self.common().strip.covers_trailer(name)
    }

    /// Decides. Same inputs, same answer, on any machine, for ever.
    ///
    /// The order is the same for every filter, and no filter can leave a step out: sanitise, judge,
    /// leave the provenance for later filters, explain.
    fn decide<'a>(&'a self, mut request: Request<'a>) -> (Decision<'a>, Self::Verdict) {
        let Common { head, strip, needles, judges_presented, .. } = self.common();
        request.search_for(needles);
        let presented = request.believe(head.callers);
        let mut decision = Decision { strip: strip.apply(&mut request), ..Decision::default() };
        let explain = head.explain.as_ref().filter(|explain| explain.when.matches(&request));
        if *judges_presented {
            request.believe_presented(presented);
        }
        let mut record = explain.map(|_| Record::new(Self::FILTER));
        let verdict = self.judge(&request, &mut decision, record.as_mut());
        let provenance =
            strip.state(request.stripped(), &decision.strip, &decision.request, &decision.already_set);
        decision.state.extend(provenance.map(|provenance| (strip::PROVENANCE, provenance)));
        if let (Some(explain), Some(record)) = (explain, record.and_then(Record::into_bytes)) {
            decision.response.push(Edit::Add(&explain.header, Cow::Owned(record)));
        }
        (decision, verdict)
    }
}

/// What a host must read for a policy: nothing that is not asked for is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent wants")]
pub struct Needs {
    /// The request's headers. Without them there is nothing to decide.
    pub headers: bool,
    /// The one pseudo header that is all this policy reads of a request: then it alone
    /// is fetched.
    pub only_header: Option<&'static str>,
    /// The address of the immediate caller.
    pub address: bool,
    /// The name of the caller, as its certificate says it.
    pub principal: bool,
    /// Whether that certificate was verified on this very connection.
    pub verified: bool,
    /// The filter state [`crate::strip::PROVENANCE`]. Without it, what a decision says there
    /// belongs behind what is there already.
    pub stripped: bool,
    /// What the proxy knows of itself and of the connection.
    pub stream_info: bool,
    /// A number that differs from request to request.
    pub nonce: bool,
    /// What became of the request: it is measured when it has been served.
    pub outcome: bool,
}
