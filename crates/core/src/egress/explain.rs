//! The decision record in the response.

use super::destination::{Ambiguity, Destination};
use super::rule::Outgoing;
use super::{Action, Egress, Ruling, Verdict};
use crate::decision::Decision;
use crate::edit::Edit;
use crate::policy::Mode;
use crate::request::Request;

impl Egress {
    /// What was done, as filter state says it.
    pub(super) fn outcome(&self, verdict: &Verdict) -> &'static str {
        match (verdict.action, self.head.mode) {
            (Action::Allow, _) => "allowed",
            (Action::Deny, Mode::Enforce) => "denied",
            (Action::Deny, _) => "would-deny",
        }
    }

    pub(super) fn explain<'a>(
        &'a self,
        request: &Request<'a>,
        destination: Result<&Destination<'_>, &Ambiguity>,
        outgoing: &Outgoing<'_>,
        verdict: &Verdict,
        decision: &mut Decision<'a>,
    ) {
        let Some(explain) = self.head.explain.as_ref().filter(|explain| explain.when.matches(request)) else {
            return;
        };
        let mut record =
            ["filter=egress-policy; ", self.outcome(verdict), "; rule=", self.ruling(verdict.ruling)]
                .concat();
        let mut say = |name: &str, value: &str| {
            record.push_str("; ");
            record.push_str(name);
            record.push('=');
            record.push_str(value);
        };
        match destination {
            Ok(destination) => say("destination", &destination.to_string()),
            Err(ambiguity) => say("reason", ambiguity.as_str()),
        }
        if verdict.ruling == Ruling::AmbiguousPath
            && let Err(ambiguity) = super::path::Readings::of(request.path())
        {
            say("reason", ambiguity.as_str());
        }
        if outgoing.moves {
            say("route", "unknown");
        }
        if outgoing.believed != outgoing.caller {
            say("caller", "unverified");
        }
        if let Some(trial) = verdict.trial {
            say("trial", self.ruling(Ruling::Rule(trial)));
        }
        decision.response.push(Edit::Add(&explain.header, record.into_bytes().into()));
    }
}
