//! `header-router`: picks a destination by the contents of a request, and edits headers.

mod compile;
mod decide;
mod of_rule;
mod redirect;
mod respond;
mod rewrite;
#[cfg(test)]
mod tests;

use crate::action::destination::Destination;
use crate::action::edit::HeaderEdits;
use crate::language::modes::Mode;
use crate::matching::index::Index;
use crate::matching::matches::Match;
use crate::matching::request::Request;
use crate::policy::common::Common;
use redirect::Redirect;
use respond::Respond;
use rewrite::Rewrite;

/// A compiled `header-router` policy.
#[derive(Clone, Debug)]
pub struct Router {
    common: Common,
    route_header: Box<str>,
    rules: Vec<Rule>,
    /// The rules' matches, one after the other; a rule without matches has an empty one.
    rule_matches: Vec<RuleMatch>,
    /// Matches of the rules that act.
    enforced: Index,
    /// Matches of the rules that only report.
    reported: Index,
    /// What happens to a request that names no host; none if no rule has a condition on the host.
    missing_host: Option<Mode>,
    /// Whether a destination quotes the request.
    has_quoted: bool,
}

/// One of a rule's matches.
#[derive(Clone, Debug)]
struct RuleMatch {
    rule: usize,
    matches: Box<Match>,
}

/// A rule: what it does with a request that matches.
#[derive(Clone, Debug)]
struct Rule {
    name: Box<str>,
    mode: Mode,
    action: Action,
    request: HeaderEdits,
    response: HeaderEdits,
}

/// What happens to the request.
#[derive(Clone, Debug)]
enum Action {
    /// It goes on, perhaps to another destination and rewritten.
    Forward {
        to: Option<Destination>,
        rewrite: Rewrite,
    },
    Redirect(Redirect),
    Respond(Respond),
}

impl Action {
    /// Whether it can be done with every request.
    fn takes_all(&self) -> bool {
        !matches!(self, Self::Forward { to: Some(to), .. } if to.is_quoted())
    }

    /// Whether it can be done with this request.
    fn takes(&self, request: &Request<'_>) -> bool {
        !matches!(self, Self::Forward { to: Some(to), .. } if !to.takes(request))
    }
}

/// What is remembered of a request: the rules that decided, by their index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that acts; none if no rule matched. One past the last rule means that the request was
    /// refused because it names no host.
    pub rule: Option<usize>,
    /// The rule in report mode that would have acted, had it been enforced.
    pub reported: Option<usize>,
}

impl Router {
    /// The name of a rule by its index. The index after the last rule is `MISSING_HOST`, where that can
    /// decide.
    pub fn rule(&self, index: usize) -> Option<&str> {
        let is_built_in = index == self.rules.len() && self.missing_host.is_some();
        self.rules.get(index).map(|rule| &*rule.name).or(is_built_in.then_some(MISSING_HOST))
    }
}

/// The name for the decision on a request that names no host, where rules have conditions on the host.
/// It is refused, because nobody can tell which of them would hold. No rule may have this name.
const MISSING_HOST: &str = "missing-host";
