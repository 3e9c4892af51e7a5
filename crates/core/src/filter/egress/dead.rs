//! Rules that can never do anything, because others decide on all that they name. `narrows lint` warns of
//! them; a module does not look for them.
//!
//! A rule is a product of what it names: callers, destinations, ports, methods, a path. [`asks`] makes one
//! request for each combination, in which whatever the rule leaves open is something that no rule names. Any
//! request that the rule covers is covered by no fewer others than one of these. So if other rules cover all
//! of them, no request is left.

mod asks;
mod paths;

use super::rule::{Rule, RuleMatch};
use super::{Action, Egress};
use crate::language::invalid::{Code, Fault};
use crate::language::modes::Mode;
use asks::{Ask, Mentioned};

/// About how often a rule is compared with a request: a policy of a thousand rules that deny, and a thousand
/// that allow, is looked at whole. What goes beyond is not looked at.
const COMPARISONS: usize = 4_000_000;
/// Names of rules in one warning.
const NAMED: usize = 3;

/// What decides instead of a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instead {
    Private,
    Rule(usize),
}

impl Egress {
    /// A warning for each of them.
    pub(super) fn dead_rules(&self) -> Vec<Fault> {
        let mentioned = Mentioned::by(&self.rules);
        let mut left = COMPARISONS;
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off);
        let faults = rules.filter_map(|(index, rule)| {
            let asks = mentioned.asks(rule)?;
            left = left.checked_sub(asks.len().saturating_mul(self.rule_matches.len()))?;
            self.never_allows(index, &asks).or_else(|| self.never_decides(index, &asks))
        });
        faults.collect()
    }

    /// A deny beats every allow.
    fn never_allows(&self, index: usize, asks: &[Ask]) -> Option<Fault> {
        let rule = self.rules.get(index).filter(|rule| rule.action == Action::Allow)?;
        let instead = self.instead(index, asks, |ask, path| {
            if ask.is_private(&self.private) {
                return Some(Instead::Private);
            }
            self.first(Action::Deny, usize::MAX, ask, path).map(Instead::Rule)
        })?;
        let help = if instead.contains(&Instead::Private) {
            "name them in \"except\" of \"denyPrivateAddresses\""
        } else {
            "leave out one of them; an exception is \"notNamespaces\" or \"notPrincipals\" of the rule that denies"
        };
        let why = match &instead[..] {
            [Instead::Private] => "\"denyPrivateAddresses\" denies all of its destinations".to_owned(),
            [_] => format!("{} denies all that it names, and a deny beats every allow", self.names(&instead)),
            _ => format!("{} deny all that it names, and a deny beats every allow", self.names(&instead)),
        };
        Some(Fault::warning(Code::NoEffect, &format!("rule {:?} can never allow: {why}", rule.name), help))
    }

    /// Of the rules with one action, the first decides; what is denied is not left to one that allows.
    fn never_decides(&self, index: usize, asks: &[Ask]) -> Option<Fault> {
        let rule = self.rules.get(index).filter(|rule| rule.mode == Mode::Enforce)?;
        let instead = self.instead(index, asks, |ask, path| {
            let denied = || match rule.action {
                Action::Allow if ask.is_private(&self.private) => Some(Instead::Private),
                Action::Allow => self.first(Action::Deny, usize::MAX, ask, path).map(Instead::Rule),
                Action::Deny => None,
            };
            self.first(rule.action, index, ask, path).map(Instead::Rule).or_else(denied)
        })?;
        let decide = if instead.len() == 1 { "decides" } else { "decide" };
        let message = format!(
            "rule {:?} never decides: {} {decide} on all that it names",
            rule.name,
            self.names(&instead)
        );
        let help = "leave it out; of the rules that allow, as of those that deny, the first decides";
        Some(Fault::warning(Code::NoEffect, &message, help))
    }

    /// What decides on everything that a rule names, each once; nothing if a request is left.
    fn instead(
        &self,
        index: usize,
        asks: &[Ask],
        decides: impl Fn(&Ask, &RuleMatch) -> Option<Instead>,
    ) -> Option<Vec<Instead>> {
        let own = || self.rule_matches.iter().filter(|rule_match| rule_match.rule == index);
        let mut found = Vec::new();
        for ask in asks {
            for path in own() {
                let instead = decides(ask, path)?;
                if !found.contains(&instead) {
                    found.push(instead);
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// The first rule in force, before `end`, that covers a request with any path that `path` allows.
    fn first(&self, action: Action, end: usize, ask: &Ask, path: &RuleMatch) -> Option<usize> {
        let is_in_force = |rule: &Rule| rule.action == action && rule.mode == Mode::Enforce;
        let covers = |other: &&RuleMatch| {
            self.rules.get(other.rule).is_some_and(|rule| is_in_force(rule) && ask.is_of(rule))
                && paths::is_within(path.path.as_ref(), other.path.as_ref())
        };
        let earlier = self.rule_matches.iter().take_while(|other| other.rule < end);
        earlier.filter(|other| other.rule != path.rule).find(covers).map(|other| other.rule)
    }

    fn names(&self, instead: &[Instead]) -> String {
        let name = |one: &Instead| match one {
            Instead::Private => "\"denyPrivateAddresses\"".to_owned(),
            Instead::Rule(index) => {
                format!("{:?}", self.rules.get(*index).map(|rule| &*rule.name).unwrap_or_default())
            }
        };
        let named: Vec<String> = instead.iter().take(NAMED).map(name).collect();
        match instead.len().saturating_sub(NAMED) {
            0 => named.join(" and "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}
