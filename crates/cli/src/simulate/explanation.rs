//! Explains decisions in the words of the policy.

use narrows_core::egress::{Action, Egress, Ruling, Verdict as Judged};
use narrows_core::router::{Router, Verdict as Routed};
use narrows_core::split::{Splitter, Verdict as Placed};
use narrows_core::tags::Tagger;
use narrows_core::{Decision, Policy, state, strip};

use crate::escape::printable;

/// What decided on a request, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Among which requests a share makes sense: those of one split, or all.
    pub scope: String,
    /// What is counted.
    pub outcome: String,
    /// The rule, split, backend, reason and bucket, as far as there are any.
    pub facts: Vec<(String, String)>,
}

/// A policy whose decisions can be explained.
pub trait Explain: Policy {
    /// What decided.
    fn explain(&self, verdict: &Self::Verdict, decision: &Decision<'_>) -> Explanation;

    /// Labels for Istio's metrics, each with the filter state that holds it.
    fn published(&self) -> Vec<(String, String)>;
}

impl Explain for Router {
    fn explain(&self, verdict: &Routed, _decision: &Decision<'_>) -> Explanation {
        let name = |place: Option<usize>| place.and_then(|place| self.rule(place));
        let rule = or_dash(name(verdict.rule).unwrap_or_default());
        let mut facts = vec![fact("rule", &rule)];
        facts.extend(name(verdict.reported).map(|reported| fact("reported", reported)));
        Explanation { scope: "rules".to_owned(), outcome: rule, facts }
    }

    fn published(&self) -> Vec<(String, String)> {
        under_own_name(&[state::RULE])
    }
}

impl Explain for Splitter {
    fn explain(&self, verdict: &Option<Placed>, _decision: &Decision<'_>) -> Explanation {
        let Some(verdict) = verdict else {
            return Explanation {
                scope: "-".to_owned(),
                outcome: "-".to_owned(),
                facts: vec![fact("split", or_dash(""))],
            };
        };
        let split = self.split(verdict.split).unwrap_or_default().to_owned();
        let backend = self.backend(verdict.split, verdict.backend).unwrap_or_default().to_owned();
        let mut facts =
            vec![fact("split", &split), fact("backend", &backend), fact("reason", verdict.reason.as_str())];
        let view = self.views().nth(verdict.split);
        facts.extend(
            verdict.key.and_then(|key| view.as_ref()?.keys.get(key).cloned()).map(|key| fact("key", key)),
        );
        facts.extend(verdict.bucket.map(|bucket| fact("bucket", bucket.to_string())));
        Explanation { scope: split, outcome: backend, facts }
    }

    fn published(&self) -> Vec<(String, String)> {
        under_own_name(&[state::SPLIT, state::BACKEND])
    }
}

impl Explain for Tagger {
    /// The filter state that it writes.
    fn explain(&self, _verdict: &Self::Verdict, decision: &Decision<'_>) -> Explanation {
        let published = decision.state.iter().filter(|(name, _)| *name != strip::STATE);
        let facts: Vec<_> = published
            .map(|(name, value)| fact(name.strip_prefix("narrows_").unwrap_or(name), printable(value)))
            .collect();
        let outcome = facts.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
        Explanation { scope: "requests".to_owned(), outcome: or_dash(&outcome), facts }
    }

    fn published(&self) -> Vec<(String, String)> {
        self.published().map(|(tag, state)| (tag.to_owned(), state.to_owned())).collect()
    }
}

impl Explain for Egress {
    fn explain(&self, verdict: &Judged, _decision: &Decision<'_>) -> Explanation {
        let action = match verdict.action {
            Action::Allow => "allow",
            Action::Deny => "deny",
        };
        let rule = self.ruling(verdict.ruling);
        let mut facts = vec![fact("action", action), fact("rule", rule)];
        facts.extend(verdict.trial.map(|trial| fact("trial", self.ruling(Ruling::Rule(trial)))));
        Explanation { scope: "rules".to_owned(), outcome: format!("{action} {rule}"), facts }
    }

    fn published(&self) -> Vec<(String, String)> {
        under_own_name(&[state::EGRESS])
    }
}

fn under_own_name(states: &[&str]) -> Vec<(String, String)> {
    states.iter().map(|state| ((*state).to_owned(), (*state).to_owned())).collect()
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}
