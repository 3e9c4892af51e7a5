//! Rules that can never allow, because something denies all that they name. `narrows lint` warns of
//! them; a module does not look for them.

use super::destination::{Destination, Host};
use super::rule::{Rule, key};
use super::{Action, Egress};
use crate::language::invalid::{Code, Fault};
use crate::language::modes::Mode;
use crate::matching::hosts::{HostPattern, HostSet};
use crate::wire::host;

/// A label that no policy names: what is below a domain may be called anything.
const ANY: &str = "0-any-label-0";

impl Egress {
    /// A warning for each of them.
    pub(super) fn dead_rules(&self) -> Vec<Fault> {
        let denies_all = |rule: &&Rule| {
            rule.action == Action::Deny && rule.mode == Mode::Enforce && rule.is_for_everyone()
        };
        let denying: Vec<&Rule> = self.rules_without_paths().filter(denies_all).collect();
        let denied = HostSet::new(denying.iter().flat_map(|rule| rule.hosts().iter().cloned()).collect());
        let everything = denying.iter().find(|rule| rule.hosts().is_empty() && rule.cidrs().is_empty());
        let allowing =
            self.rules.iter().filter(|rule| rule.action == Action::Allow && rule.mode != Mode::Off);
        let reason = |rule: &Rule| {
            let names = !rule.hosts().is_empty() || !rule.cidrs().is_empty();
            let is_private = names
                && rule.hosts().iter().all(|host| self.denies_as_private(host))
                && rule.cidrs().iter().all(|block| self.private.denies_all(*block));
            let is_denied =
                |pattern: &HostPattern| denied.contains(&host::Host::of(sample(pattern).as_bytes()));
            let is_shadowed = everything.is_some()
                || (names && rule.cidrs().is_empty() && rule.hosts().iter().all(is_denied));
            match (is_private, is_shadowed) {
                (true, _) => Some((
                    "\"denyPrivateAddresses\" denies all of its destinations",
                    "name them in \"except\" of \"denyPrivateAddresses\"",
                )),
                (_, true) => Some((
                    "rules that deny name all of its hosts, and a deny beats every allow",
                    "leave out one of them; an exception is \"notNamespaces\" or \"notPrincipals\" of the rule that denies",
                )),
                _ => None,
            }
        };
        let warned = allowing.filter_map(|rule| Some((rule, reason(rule)?)));
        warned
            .map(|(rule, (why, help))| {
                Fault::warning(Code::NoEffect, &format!("rule {:?} can never allow: {why}", rule.name), help)
            })
            .collect()
    }

    fn rules_without_paths(&self) -> impl Iterator<Item = &Rule> {
        let plain = self.rule_matches.iter().filter(|rule_match| rule_match.path.is_none());
        plain.filter_map(|rule_match| self.rules.get(rule_match.rule))
    }

    fn denies_as_private(&self, pattern: &HostPattern) -> bool {
        let text = sample(pattern);
        Destination::of(text.as_bytes()).is_ok_and(|Destination { host, .. }| match host {
            // Of names below a domain, or of any name, not all are one that is private everywhere.
            Host::Name(_) if matches!(pattern, HostPattern::Any) => false,
            host => self.private.denies(&host),
        })
    }
}

/// A host that a pattern covers and nothing narrower does.
fn sample(pattern: &HostPattern) -> String {
    let text = String::from_utf8_lossy(key(pattern));
    match pattern {
        HostPattern::Any => format!("{ANY}.{ANY}"),
        HostPattern::Suffix(_) => format!("{ANY}{text}"),
        HostPattern::Glob(_) => text.replace('*', ANY),
        HostPattern::Exact(_) => text.into_owned(),
    }
}
