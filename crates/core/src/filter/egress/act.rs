//! What follows from a ruling: an answer, edits, counts, filter state.

use std::borrow::Cow;

use super::{Action, Egress, Ruling, Verdict};
use crate::action::edit::Edit;
use crate::language::modes::Mode;
use crate::matching::request::Request;
use crate::matching::source::ip;
use crate::policy::decision::{Decision, Reply, Unlisted};
use crate::policy::state;
use crate::wire::host::Host;

impl Egress {
    /// Carries out a verdict on a call to `host`. `removals` remove internal headers from the call.
    pub(super) fn carry_out<'a>(
        &'a self,
        request: &Request<'a>,
        verdict: &Verdict,
        host: &[u8],
        removals: Vec<Edit<'a>>,
        decision: &mut Decision<'a>,
    ) {
        match (self.common.head.mode, verdict.action) {
            (Mode::Enforce, Action::Deny) => decision.reply = Some(self.refuse(request, verdict.ruling)),
            (Mode::Enforce, Action::Allow) => decision.request = removals,
            (Mode::Report | Mode::Off, _) => {}
        }
        // What a rule keeps from this caller is not news, and to propose it would undo the rule. But no
        // rule lets a private address out.
        let is_new = || match verdict.ruling {
            Ruling::Default => !self.is_listed(host),
            Ruling::PrivateAddress => true,
            _ => false,
        };
        if self.learn.is_some() && is_new() {
            decision.unlisted = Some(Unlisted { host: host.into(), method: request.method() });
        }
        let host_of_rule = match verdict.ruling {
            Ruling::Rule(index) => self.rules.get(index).map(|rule| rule.destination(host)),
            _ => None,
        };
        self.series_indices.count(verdict, host_of_rule, &mut decision.count);
        let state = [self.outcome(verdict), "; rule=", self.ruling(verdict.ruling)].concat();
        decision.state.push((state::EGRESS, Cow::Owned(state.into_bytes())));
    }

    /// Whether a rule names a host, or its block of addresses.
    fn is_listed(&self, host: &[u8]) -> bool {
        let is_in = |address| self.listed_blocks.iter().any(|block| block.contains(address));
        self.listed.contains(&Host::of(host))
            || (!self.listed_blocks.is_empty() && ip(host).is_some_and(is_in))
    }

    fn refuse<'a>(&'a self, request: &Request<'_>, ruling: Ruling) -> Reply<'a> {
        let rule = self.ruling(ruling);
        let body = with_rule(&self.refusal.body, rule);
        // At 421 a client opens a connection of its own (RFC 9110 §15.5.20).
        let status = if ruling == Ruling::SniMismatch { 421 } else { 403 };
        Reply {
            // Envoy answers gRPC in gRPC's own way: it turns 403 into `PERMISSION_DENIED`.
            status: if request.is_grpc() { 403 } else { self.refusal.status.unwrap_or(status) },
            grpc_status: None,
            headers: vec![(
                Cow::Borrowed("x-narrows-egress"),
                Cow::Owned(["denied; rule=", rule].concat().into_bytes()),
            )],
            body,
        }
    }
}

/// A text with the name of a rule in each place of `%RULE%`.
fn with_rule<'b>(body: &'b str, rule: &str) -> Cow<'b, [u8]> {
    let mut rest = body;
    let mut written = String::new();
    while let Some((before, behind)) = rest.split_once('%') {
        written.push_str(before);
        let after = behind.strip_prefix("RULE%");
        written.push_str(if after.is_some() { rule } else { "%" });
        rest = after.unwrap_or(behind);
    }
    if written.is_empty() {
        return Cow::Borrowed(rest.as_bytes());
    }
    written.push_str(rest);
    Cow::Owned(written.into_bytes())
}
