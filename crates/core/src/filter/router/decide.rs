//! From a request to a decision.

use std::borrow::Cow;

use super::{Action, Router, Rule, Verdict};
use crate::action::edit::Draft;
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;
use crate::matching::index::Index;
use crate::matching::request::Request;
use crate::policy::common::Common;
use crate::policy::decision::{Decision, Reply};
use crate::policy::outcome::Outcome;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::written::Written;
use crate::policy::{Policy, state};

impl Part for Router {
    const PART: &'static Object = &super::compile::PART;

    fn compile_written(written: Written<'_>) -> Result<Self, Invalid> {
        super::compile::router(written)
    }
}

impl Policy for Router {
    const FILTER: &'static str = "header-router";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    type Verdict = Verdict;

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        Self::compile_written(Written::alone(tree, Self::FILTER, Self::LANGUAGE))
    }

    fn outcome(&self, verdict: &Verdict, _decision: &Decision<'_>) -> Outcome {
        let name = |index: Option<usize>| index.and_then(|index| self.rule(index));
        let rule = name(verdict.rule).unwrap_or("-");
        let outcome = Outcome::new("rules", rule).with("rule", rule);
        match name(verdict.reported) {
            Some(reported) => outcome.with("reported", reported),
            None => outcome,
        }
    }

    fn drops_trailer(&self, verdict: &Verdict, name: &[u8]) -> bool {
        self.common.sanitizer.covers_trailer(name)
            || verdict.rule.and_then(|rule| self.rules.get(rule)).is_some_and(|rule| {
                let forwards = match &rule.action {
                    Action::Forward { to, rewrite } => {
                        rewrite.displaces(self.common.head.trust, name)
                            || to.as_ref().is_some_and(|to| to.displaces(&self.route_header, name))
                    }
                    _ => false,
                };
                forwards || rule.request.displaces(name)
            })
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn summary(&self) -> String {
        format!("{} rules", self.rules.len())
    }

    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Verdict {
        let verdict = self.verdict(request, |mode| match mode {
            Mode::Enforce => self.first(&self.enforced, request),
            Mode::Report | Mode::Off => self.first(&self.reported, request),
        });
        let Verdict { rule: enforced, reported } = verdict;
        decision.count.extend(reported.into_iter().chain(enforced));
        match enforced.map(|index| self.rules.get(index)) {
            Some(Some(rule)) => self.act(rule, request, decision),
            Some(None) => decision.reply = Some(missing_host()),
            None => {}
        }
        if let Some(name) = enforced.or(reported).and_then(|index| self.rule(index)) {
            decision.state.push((state::RULE, Cow::Borrowed(name.as_bytes())));
        }
        if let Some(record) = record {
            self.explain(verdict, record);
        }
        verdict
    }
}

impl Router {
    /// The verdict; `first` finds the first rule of a mode.
    fn verdict(&self, request: &Request<'_>, first: impl Fn(Mode) -> Option<usize>) -> Verdict {
        let refusal = Some(self.rules.len());
        let missing = self.missing_host.filter(|_| request.host().is_missing());
        if missing == Some(Mode::Enforce) {
            return Verdict { rule: refusal, reported: None };
        }
        let rule = first(Mode::Enforce);
        if missing.is_some() {
            return Verdict { rule, reported: refusal };
        }
        // A rule that only reports counts if it would have come first.
        let reported = first(Mode::Report).filter(|reported| rule.is_none_or(|rule| *reported < rule));
        Verdict { rule, reported }
    }

    fn first(&self, index: &Index, request: &Request<'_>) -> Option<usize> {
        let rule_match = |number: u32| self.rule_matches.get(number as usize);
        let found = index.first(request, |number| {
            rule_match(number).is_some_and(|c| c.matches.matches(request) && self.takes(c.rule, request))
        })?;
        rule_match(found).map(|rule_match| rule_match.rule)
    }

    /// Whether a rule's action can be done with a request; if not, the rule does not match.
    fn takes(&self, rule: usize, request: &Request<'_>) -> bool {
        !self.has_quoted || self.rules.get(rule).is_some_and(|rule| rule.action.takes(request))
    }

    /// The verdict without the index: each match is tried in order. The index must agree with it. It is
    /// slow, and only for tests.
    pub fn by_trying(&self, mut request: Request<'_>) -> Verdict {
        request.believe(self.common.head.callers);
        self.common.sanitizer.apply(&mut request);
        let first = |mode: Mode| {
            let acts = |rule: usize| self.rules.get(rule).is_some_and(|rule| rule.mode == mode);
            let mut rule_matches = self.rule_matches.iter().filter(|rule_match| acts(rule_match.rule));
            rule_matches
                .find(|rule_match| {
                    rule_match.matches.matches(&request) && self.takes(rule_match.rule, &request)
                })
                .map(|rule_match| rule_match.rule)
        };
        self.verdict(&request, first)
    }

    fn act<'a>(&'a self, rule: &'a Rule, request: &Request<'a>, decision: &mut Decision<'a>) {
        rule.response.respond(request, &mut decision.response);
        match &rule.action {
            Action::Respond(respond) => decision.reply = Some(respond.reply(request)),
            Action::Redirect(redirect) => decision.reply = redirect.reply(request),
            Action::Forward { to, rewrite } => {
                let mut draft = Draft::new(request, self.common.head.trust);
                rule.request.apply(&mut draft);
                rewrite.apply(&rule.request, &mut draft);
                if let Some(to) = to {
                    to.apply(&self.route_header, &mut draft);
                }
                (decision.request, decision.already_set) = draft.finish();
            }
        }
    }

    fn explain(&self, verdict: Verdict, record: &mut Record) {
        let name = |index: Option<usize>| index.and_then(|index| self.rule(index)).unwrap_or("-");
        record.say("rule", name(verdict.rule));
        if let Some(Action::Forward { to: Some(to), .. }) =
            verdict.rule.and_then(|index| self.rules.get(index)).map(|rule| &rule.action)
        {
            record.add(&to.describe());
        }
        if verdict.reported.is_some() {
            record.say("reported", name(verdict.reported));
        }
        if self.common.head.mode == Mode::Report {
            record.say("mode", "report");
        }
    }
}

/// The answer to a request that names no host although a rule needs one (RFC 9110 §7.2).
fn missing_host() -> Reply<'static> {
    Reply {
        status: 400,
        grpc_status: None,
        headers: Vec::new(),
        body: Cow::Borrowed(b"this request names no host\n"),
    }
}
