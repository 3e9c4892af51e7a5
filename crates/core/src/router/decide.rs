//! From a request to a decision.

use std::borrow::Cow;

use super::{Action, Router, Rule, Verdict};
use crate::budget::Weight;
use crate::decision::{Decision, Reply};
use crate::edit::{Draft, Edit};
use crate::index::Index;
use crate::invalid::Invalid;
use crate::policy::{Mode, Needs, Policy};
use crate::request::Request;
use crate::series::Series;
use crate::strip::{self, Strip};
use crate::tree::Tree;

impl Policy for Router {
    const FILTER: &'static str = "header-router";

    type Verdict = Verdict;

    fn compile(tree: &Tree) -> Result<Self, Invalid> {
        super::compile::router(tree, Self::FILTER)
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn series(&self) -> &[Series] {
        &self.series
    }

    fn strip(&self) -> Option<&Strip> {
        Some(&self.strip)
    }

    fn weight(&self) -> Weight {
        self.weight
    }

    fn drops_trailer(&self, verdict: &Verdict, name: &[u8]) -> bool {
        self.strip.covers_trailer(name)
            || verdict.rule.and_then(|rule| self.rules.get(rule)).is_some_and(|rule| {
                let forwards = match &rule.action {
                    Action::Forward { to, rewrite } => {
                        rewrite.displaces(self.head.trust, name)
                            || to.as_ref().is_some_and(|to| to.displaces(&self.route_header, name))
                    }
                    _ => false,
                };
                forwards || rule.request.displaces(name)
            })
    }

    fn summary(&self) -> String {
        format!("{} rules", self.rules.len())
    }

    fn decide<'a>(&'a self, mut request: Request<'a>) -> (Decision<'a>, Verdict) {
        request.search_for(&self.needles);
        request.believe(self.head.callers);
        let mut decision = Decision { strip: self.strip.apply(&mut request), ..Decision::default() };
        let verdict = self.verdict(&request, |mode| match mode {
            Mode::Enforce => self.first(&self.enforced, &request),
            _ => self.first(&self.reported, &request),
        });
        let Verdict { rule: enforced, reported } = verdict;
        decision.count.extend(reported.into_iter().chain(enforced));
        match enforced.map(|place| self.rules.get(place)) {
            Some(Some(rule)) => self.act(rule, &request, &mut decision),
            Some(None) => decision.reply = Some(missing_host()),
            None => {}
        }
        if let Some(name) = enforced.or(reported).and_then(|place| self.rule(place)) {
            decision.state.push(("narrows_rule", Cow::Borrowed(name.as_bytes())));
        }
        let state = self.strip.state(request.stripped(), &decision);
        decision.state.extend(state.map(|state| (strip::STATE, state)));
        self.explain(&request, verdict, &mut decision);
        (decision, verdict)
    }
}

impl Router {
    /// The verdict, given how to find the first rule of a mode.
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
        let clause = |number: u32| self.clauses.get(number as usize);
        let found =
            index.first(request, |number| clause(number).is_some_and(|c| c.matches.matches(request)))?;
        clause(found).map(|clause| clause.rule)
    }

    /// The verdict without the index, each match tried in order: what the index must agree with.
    /// Slow, and for tests.
    pub fn by_trying(&self, mut request: Request<'_>) -> Verdict {
        request.believe(self.head.callers);
        self.strip.apply(&mut request);
        let first = |mode: Mode| {
            let acts = |rule: usize| self.rules.get(rule).is_some_and(|rule| rule.mode == mode);
            let mut clauses = self.clauses.iter().filter(|clause| acts(clause.rule));
            clauses.find(|clause| clause.matches.matches(&request)).map(|clause| clause.rule)
        };
        self.verdict(&request, first)
    }

    fn act<'a>(&'a self, rule: &'a Rule, request: &Request<'a>, decision: &mut Decision<'a>) {
        rule.response.respond(request, &mut decision.response);
        match &rule.action {
            Action::Respond(respond) => decision.reply = Some(respond.reply(request)),
            Action::Redirect(redirect) => decision.reply = redirect.reply(request),
            Action::Forward { to, rewrite } => {
                let mut draft = Draft::new(request, self.head.trust);
                rule.request.apply(&mut draft);
                rewrite.apply(&mut draft);
                if let Some(to) = to {
                    to.apply(&self.route_header, &mut draft);
                }
                draft.finish(decision);
            }
        }
    }

    fn explain<'a>(&'a self, request: &Request<'a>, verdict: Verdict, decision: &mut Decision<'a>) {
        let Some(explain) = self.head.explain.as_ref().filter(|explain| explain.when.matches(request)) else {
            return;
        };
        let name = |place: Option<usize>| place.and_then(|place| self.rule(place)).unwrap_or("-");
        let mut record = format!("filter=header-router; rule={}", name(verdict.rule));
        if let Some(Action::Forward { to: Some(to), .. }) =
            verdict.rule.and_then(|place| self.rules.get(place)).map(|rule| &rule.action)
        {
            record.push_str("; ");
            record.push_str(&to.describe());
        }
        if verdict.reported.is_some() {
            record.push_str("; reported=");
            record.push_str(name(verdict.reported));
        }
        if self.head.mode == Mode::Report {
            record.push_str("; mode=report");
        }
        decision.response.push(Edit::Add(&explain.header, record.into_bytes().into()));
    }
}

/// The answer to a request that names no host where one is asked for (RFC 9110 §7.2).
fn missing_host() -> Reply<'static> {
    Reply {
        status: 400,
        grpc_status: None,
        headers: Vec::new(),
        body: Cow::Borrowed(b"this request names no host\n"),
    }
}
