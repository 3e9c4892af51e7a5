//! What is counted: by rule and action, and by destination and action.

use super::rule::{Rule, key};
use super::{Action, Ruling, Verdict};
use crate::language::limits;
use crate::language::modes::Mode;
use crate::matching::hosts::HostPattern;
use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Series};

/// The indices of a policy's series. The rules' own come first, in their order.
#[derive(Clone, Debug)]
pub(super) struct SeriesIndices {
    rules: usize,
    /// By rule, and by host of that rule. A rule without hosts, or with blocks, has one more.
    destinations: Vec<Vec<usize>>,
    /// The index of the series for what is not a rule: see [`BUILT_IN`].
    built_in: usize,
}

/// What decides besides rules, with the destination under which it is counted.
const BUILT_IN: [(&str, &str); 6] = [
    ("default", "unlisted"),
    ("private-address", "private"),
    ("ambiguous-host", "ambiguous"),
    ("ambiguous-path", "ambiguous"),
    ("sni-mismatch", "ambiguous"),
    ("in-cluster", "in-cluster"),
];

impl SeriesIndices {
    pub(super) fn define(
        rules: &[Rule],
        default: Action,
        mode: Mode,
        encoding: LabelEncoding,
    ) -> (Self, Vec<Series>) {
        let named = |name: &str, destination: &str, action: &'static str| {
            let label = Label { name: "destination", stock: BuiltinTag::Component, value: destination };
            let labels = [label, Label { name: "action", stock: BuiltinTag::WasmFilter, value: action }];
            Series::new(Kind::Counter, encoding, name, &labels)
        };
        let by_rule = |rule: &str, action: &'static str| {
            let label = Label { name: "rule", stock: BuiltinTag::Component, value: rule };
            let labels = [label, Label { name: "action", stock: BuiltinTag::WasmFilter, value: action }];
            Series::new(Kind::Counter, encoding, "narrows_egress_requests_total", &labels)
        };
        let by_destination =
            |destination: &str, action| named("narrows_egress_destinations_total", destination, action);
        let mut series: Vec<Series> =
            rules.iter().map(|rule| by_rule(&rule.name, word(rule.action, mode, rule.mode))).collect();
        let mut destinations = Vec::with_capacity(rules.len());
        let built_in = series.len();
        for (rule, destination) in BUILT_IN {
            let action = match rule {
                "default" => default,
                "in-cluster" => Action::Allow,
                _ => Action::Deny,
            };
            let action = word(action, mode, Mode::Enforce);
            series.push(by_rule(rule, action));
            series.push(by_destination(destination, action));
        }
        // Sorted by name. All that is counted under one name is one series.
        let mut apart: Vec<(Box<str>, usize)> = Vec::new();
        for rule in rules {
            let action = word(rule.action, mode, Mode::Enforce);
            let mut index_of = |host: Option<&HostPattern>| {
                let text = match host {
                    Some(pattern @ HostPattern::Suffix(_)) => {
                        format!("*{}", String::from_utf8_lossy(key(pattern)))
                    }
                    Some(HostPattern::Exact(name) | HostPattern::Glob(name)) => {
                        String::from_utf8_lossy(name).into_owned()
                    }
                    Some(HostPattern::Any) | None => "*".to_owned(),
                };
                let mut made = by_destination(&text, action);
                let is_known = apart.binary_search_by(|(name, _)| name.cmp(&made.name)).is_ok();
                if apart.len() >= limits::DESTINATIONS && !is_known {
                    made = by_destination("other", action);
                }
                match apart.binary_search_by(|(name, _)| name.cmp(&made.name)) {
                    Ok(at) => apart.get(at).map_or(built_in, |(_, index)| *index),
                    Err(at) => {
                        apart.insert(at, (made.name.clone(), series.len()));
                        series.push(made);
                        series.len().saturating_sub(1)
                    }
                }
            };
            // A rule in report mode does not decide, so it has no destination to count.
            destinations.push(match (rule.mode, rule.hosts()) {
                (Mode::Report | Mode::Off, _) => Vec::new(),
                (Mode::Enforce, hosts) => {
                    let others = hosts.is_empty() || !rule.cidrs().is_empty();
                    let hosts = hosts.iter().map(Some).chain(others.then_some(None));
                    hosts.map(&mut index_of).collect()
                }
            });
        }
        (Self { rules: rules.len(), destinations, built_in }, series)
    }

    /// Adds the series in which to count a request. `host` is the index of the host in the rule that
    /// decided.
    pub(super) fn count(&self, verdict: &Verdict, host: Option<usize>, count: &mut Vec<usize>) {
        let built_in = match verdict.ruling {
            Ruling::Rule(rule) => {
                count.push(rule.min(self.rules));
                let indices = self.destinations.get(rule);
                count.extend(indices.and_then(|indices| indices.get(host.unwrap_or_default())).copied());
                None
            }
            Ruling::Default => Some(0),
            Ruling::PrivateAddress => Some(1),
            Ruling::AmbiguousHost => Some(2),
            Ruling::AmbiguousPath => Some(3),
            Ruling::SniMismatch => Some(4),
            Ruling::InCluster => Some(5),
        };
        if let Some(index) = built_in {
            let first = self.built_in.saturating_add(2usize.saturating_mul(index));
            count.extend([first, first.saturating_add(1)]);
        }
        count.extend(verdict.trial);
    }
}

/// The label of the action that is taken, or would be.
pub(super) fn word(action: Action, policy: Mode, rule: Mode) -> &'static str {
    match (action, policy, rule) {
        (Action::Allow, _, Mode::Enforce) => "allow",
        (Action::Allow, ..) => "would-allow",
        (Action::Deny, Mode::Enforce, Mode::Enforce) => "deny",
        (Action::Deny, ..) => "would-deny",
    }
}
