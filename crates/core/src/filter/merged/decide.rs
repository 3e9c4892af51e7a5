//! Decides part by part.

use std::borrow::Cow;

use super::{Merged, Provenance, Verdict, Working};
use crate::action::edit::Edit;
use crate::language::describe::Object;
use crate::language::invalid::{Fault, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Known, Peer, Recall, Request};
use crate::policy::common::Common;
use crate::policy::decision::{Decision, Reply, Unlisted};
use crate::policy::needs::Needs;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::{Policy, state};

macro_rules! decided {
    ($($part:ident: $policy:ty, $beside:ident => $text:literal;)+) => {
        impl Policy for Merged {
            const FILTER: &'static str = "narrows";
            const LANGUAGE: &'static Object = &super::compile::POLICY;

            /// The text of a policy that cannot be read may have had egress rules.
            const FAIL_CLOSED: bool = true;

            type Verdict = Verdict;

            fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
                super::compile::merged(tree)
            }

            fn common(&self) -> &Common {
                &self.common
            }

            fn summary(&self) -> String {
                let parts = [$(self.$part.as_ref().map(|part| [stringify!($part), ": ", &part.summary()].concat())),+];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                if parts.is_empty() { "no parts".to_owned() } else { parts.join("; ") }
            }

            fn warnings(&self) -> Vec<Fault> {
                let mut warnings = Vec::new();
                $(warnings.extend(self.$part.iter().flat_map(|part| part.warnings()).map(|w| w.in_field(stringify!($part))));)+
                warnings
            }

            fn drops_trailer(&self, verdict: &Verdict, name: &[u8]) -> bool {
                self.common.sanitizer.covers_trailer(name)
                    $(|| self.$part.as_ref().zip(verdict.$part.as_ref()).is_some_and(|(part, verdict)| part.drops_trailer(verdict, name)))+
            }

            fn judge<'a>(
                &'a self,
                request: &Request<'a>,
                decision: &mut Decision<'a>,
                _record: Option<&mut Record>,
            ) -> Verdict {
                let mut course = Course::new(self, request, decision);
                let mut verdict = Verdict::default();
                // In a chain, a part that comes first is a filter in front.
                for comes_first in [true, false] {
                    let mut first = 0usize;
                    $(if let Some(part) = &self.$part {
                        if part.comes_first(request) == comes_first {
                            verdict.$part = course.pass(&**part, first);
                        }
                        first = first.saturating_add(Policy::common(&**part).series.len());
                    })+
                    _ = first;
                }
                course.respond();
                verdict
            }

            fn recall(&self, earlier: &[Request<'_>], request: &Request<'_>, now: u64) -> Recall {
                let Some(lanes) = &self.lanes else { return Recall::Idle };
                let decided = earlier.iter().filter_map(|earlier| self.decide(earlier.clone()).1.lanes);
                lanes.memory(decided, now).recall(lanes, &lanes.ids(request), now)
            }
        }
    };
}

crate::parts!(decided);

/// A request on its way through the parts.
struct Course<'c, 'a> {
    merged: &'a Merged,
    request: &'c Request<'a>,
    working: Working<'a>,
    provenance: Provenance<'a>,
    decision: &'c mut Decision<'a>,
    /// The edits of the response that each part has made.
    response: Vec<Vec<Edit<'static>>>,
}

impl<'c, 'a> Course<'c, 'a> {
    fn new(merged: &'a Merged, request: &'c Request<'a>, decision: &'c mut Decision<'a>) -> Self {
        let Common { sanitizer, needs, .. } = &merged.common;
        let stripped = sanitizer.state(request.stripped(), &decision.stripped, &[], &[]);
        let mut provenance = Provenance::new(request.stripped());
        provenance.keep(stripped.map(Cow::into_owned), *needs);
        let working = Working::of(request);
        Self { merged, request, working, provenance, decision, response: Vec::new() }
    }

    /// Lets a part, whose first series is `first`, decide on what those before it left. Once one has
    /// answered, only what counts answered requests still sees the request, and no longer changes it.
    fn pass<P: Part>(&mut self, policy: &P, first: usize) -> Option<P::Verdict> {
        let Common { needs, .. } = policy.common();
        let is_answered = self.decision.reply.is_some();
        if (!needs.headers && !needs.outcome) || (is_answered && !policy.counts_answered()) {
            return None;
        }
        let (mut decided, verdict) = policy.decide(self.request_for(*needs));
        let said = Provenance::said(&mut decided);
        let state = decided.state.iter().chain(&decided.unpublished);
        let published: Vec<_> = state.map(|(name, value)| self.state(name, value)).collect();
        let edits: Vec<_> = decided.request.into_iter().map(Edit::into_owned).collect();
        let response =
            decided.response.into_iter().map(|edit| edit.into_owned().counted_from(first)).collect();
        let already_set: Vec<_> = decided.already_set.iter().map(ToString::to_string).collect();
        let reply = decided.reply.map(Reply::into_owned);
        let unlisted = decided.unlisted.map(|new| Unlisted { method: self.request.method(), host: new.host });
        self.decision.count.extend(decided.count.iter().map(|series| first.saturating_add(*series)));
        published.into_iter().flatten().for_each(|state| self.publish(state));
        if is_answered {
            return Some(verdict);
        }
        self.provenance.keep(said, *needs);
        self.working.edit(&edits);
        self.response.push(response);
        self.decision.request.extend(edits);
        self.decision.already_set.extend(already_set.into_iter().map(Cow::Owned));
        self.decision.reply = reply;
        self.decision.unlisted = unlisted;
        Some(verdict)
    }

    /// The request as a part sees it.
    fn request_for(&self, needs: Needs) -> Request<'_> {
        let Peer { address, principal } = self.request.source();
        let source = Peer {
            address: address.filter(|_| needs.address),
            principal: principal.filter(|_| needs.principal),
        };
        Request::new(self.working.iter()).knowing(Known {
            source,
            is_verified: self.request.is_verified() && needs.verified,
            stripped: self.provenance.read(needs),
            ..*self.request.known()
        })
    }

    /// Filter state of a part, under the name that the policy has for it.
    fn state(&self, name: &str, value: &[u8]) -> Option<(&'a str, Cow<'a, [u8]>)> {
        let published = self.merged.common.published.iter().map(|(_, state)| &**state);
        let mut known = published.chain(state::DECISIONS);
        Some((known.find(|state| *state == name)?, Cow::Owned(value.to_vec())))
    }

    /// Publishes filter state once under each name: a later part's takes the place of an earlier one's.
    fn publish(&mut self, state: (&'a str, Cow<'a, [u8]>)) {
        self.decision.state.retain(|(other, _)| *other != state.0);
        self.decision.state.push(state);
    }

    /// In a chain a response comes to the last filter first.
    fn respond(self) {
        self.decision.response.extend(self.response.into_iter().rev().flatten());
    }
}
