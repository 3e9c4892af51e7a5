//! `header-router`: picks a destination by what a request says, and edits headers.

mod compile;
mod decide;
mod respond;
mod rewrite;
#[cfg(test)]
mod tests;

use crate::action::destination::Destination;
use crate::action::edit::HeaderEdits;
use crate::language::modes::Mode;
use crate::matching::index::Index;
use crate::matching::matches::Match;
use crate::policy::common::Common;
use respond::{Redirect, Respond};
use rewrite::Rewrite;

/// A compiled `header-router` policy.
#[derive(Clone, Debug)]
pub struct Router {
    common: Common,
    route_header: Box<str>,
    rules: Vec<Rule>,
    /// The rules' matches, one after the other; a rule without any has an empty one.
    clauses: Vec<Clause>,
    /// Clauses of the rules that act.
    enforced: Index,
    /// Clauses of the rules that only report.
    reported: Index,
    /// What becomes of a request that names no host; none if no rule asks for one.
    missing_host: Option<Mode>,
}

/// One of a rule's matches.
#[derive(Clone, Debug)]
struct Clause {
    rule: usize,
    matches: Box<Match>,
}

/// A rule: what it does to a request that matches.
#[derive(Clone, Debug)]
struct Rule {
    name: Box<str>,
    mode: Mode,
    action: Action,
    request: HeaderEdits,
    response: HeaderEdits,
}

/// What becomes of the request.
#[derive(Clone, Debug)]
enum Action {
    /// It goes on, perhaps elsewhere and rewritten.
    Forward {
        to: Option<Destination>,
        rewrite: Rewrite,
    },
    Redirect(Redirect),
    Respond(Respond),
}

/// What is remembered of a request: the rules that decided, by their place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that acts; none if no rule matched. One past the last refuses a request
    /// that names no host.
    pub rule: Option<usize>,
    /// The rule in report mode that would have, had it been enforced.
    pub reported: Option<usize>,
}

impl Router {
    /// The name of a rule by its place. Behind the last stands `MISSING_HOST`, where it can
    /// decide.
    pub fn rule(&self, place: usize) -> Option<&str> {
        let is_built_in = place == self.rules.len() && self.missing_host.is_some();
        self.rules.get(place).map(|rule| &*rule.name).or(is_built_in.then_some(MISSING_HOST))
    }
}

/// What decides on a request that names no host, where rules ask for one: it is refused,
/// for which of them would hold cannot be told. No rule may have this name.
const MISSING_HOST: &str = "missing-host";
