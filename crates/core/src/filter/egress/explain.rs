//! The decision record in the response.

use super::ambiguity::Ambiguity;
use super::destination::Destination;
use super::rule::Outgoing;
use super::{Action, Egress, Ruling, Verdict};
use crate::language::modes::Mode;
use crate::matching::request::Request;
use crate::policy::record::Record;

impl Egress {
    /// What was done, in the word that filter state has for it.
    pub(super) fn outcome(&self, verdict: &Verdict) -> &'static str {
        match (verdict.action, self.common.head.mode) {
            (Action::Allow, _) => "allowed",
            (Action::Deny, Mode::Enforce) => "denied",
            (Action::Deny, _) => "would-deny",
        }
    }

    pub(super) fn explain(
        &self,
        request: &Request<'_>,
        destination: Result<&Destination<'_>, &Ambiguity>,
        outgoing: &Outgoing<'_>,
        verdict: &Verdict,
        record: &mut Record,
    ) {
        record.add(self.outcome(verdict));
        record.say("rule", self.ruling(verdict.ruling));
        match destination {
            Ok(destination) => record.say("destination", &destination.to_string()),
            Err(ambiguity) => record.say("reason", ambiguity.as_str()),
        }
        if verdict.ruling == Ruling::AmbiguousPath
            && let Err(ambiguity) = super::path::Readings::of(request.path())
        {
            record.say("reason", ambiguity.as_str());
        }
        if outgoing.moves {
            record.say("route", "unknown");
        }
        if outgoing.believed != outgoing.caller {
            record.say("caller", "unverified");
        }
        if let Some(trial) = verdict.trial {
            record.say("trial", self.ruling(Ruling::Rule(trial)));
        }
    }
}
