//! From what an old configuration says to a policy: rules of header-router, splits of canary-split, or both
//! in a merged policy.

mod conditions;
mod rules;
mod splits;

use std::ops::Range;

use narrows_core::PolicyValue;

pub(in crate::migrate) use splits::name;

use super::difference::Log;
use super::old::{Group, Hosts, Match, Old, Route};
use super::value::{Table, text};
use crate::filter::Filter;

/// The header by which a policy names a destination, unless it says another.
pub(super) const ROUTE_HEADER: &str = "x-narrows-route";

/// A policy, and where its parts come from.
pub(super) struct Made {
    pub(super) filter: Filter,
    pub(super) policy: PolicyValue,
    /// The place of a rule or split, such as `rules[2]`, with its file and its bytes there.
    pub(super) origins: Vec<(String, usize, Range<usize>)>,
}

/// Lists that become one policy.
#[derive(Default)]
struct Parts {
    rules: Vec<PolicyValue>,
    splits: Vec<PolicyValue>,
    origins: Vec<(String, usize, Range<usize>)>,
    names: Vec<String>,
}

/// Makes the policy. What cannot be said is added to the logs.
pub(super) fn make(old: &Old, logs: &mut [Log]) -> Made {
    let mut parts = Parts::default();
    let is_split = is_split(old);
    for (number, group) in old.groups.iter().enumerate() {
        let Some(log) = logs.get_mut(group.file) else { continue };
        let is_narrower = old.groups.iter().skip(number + 1).any(|wider| group.hosts.is_within(&wider.hosts));
        if is_split {
            parts.split_group(old, group, log);
        } else {
            parts.rule_group(old, group, is_narrower, log);
        }
    }
    let trust = old.is_mesh.then(|| text("mesh"));
    let header = old.route_header.as_deref().map(text);
    let Parts { rules, splits, origins, .. } = parts;
    let list = |name: &str, list| Table::default().with(name, PolicyValue::List(list));
    let part = |name: &str, elements: Vec<PolicyValue>| {
        PolicyValue::from(
            Table::default().maybe("routeHeader", header.clone()).with(name, PolicyValue::List(elements)),
        )
    };
    let (filter, policy) = if splits.is_empty() {
        let head = Table::default().with("filter", text("header-router")).maybe("trust", trust);
        (Filter::HeaderRouter, head.maybe("routeHeader", header).with("rules", PolicyValue::List(rules)))
    } else if rules.is_empty() {
        let head = Table::default().with("filter", text("canary-split")).maybe("trust", trust);
        (Filter::CanarySplit, head.maybe("routeHeader", header).with("splits", PolicyValue::List(splits)))
    } else {
        let head = Table::default().with("filter", text("narrows")).maybe("trust", trust);
        let router = PolicyValue::from(list("rules", rules));
        (Filter::Narrows, head.with("router", router).with("split", part("splits", splits)))
    };
    Made { filter, policy: policy.into(), origins }
}

/// Whether splits alone can say it: they are tried in order like rules, but do nothing else.
fn is_split(old: &Old) -> bool {
    let is_apart = |number: usize, group: &Group| {
        !old.groups.iter().skip(number + 1).any(|wider| group.hosts.is_within(&wider.hosts))
    };
    let has_split = old.groups.iter().any(|group| group.routes.iter().any(|route| route.split().is_some()));
    has_split
        && old.groups.iter().enumerate().all(|(number, group)| {
            is_apart(number, group) && (splits::is_simple(old, group) || splits::folded(group).is_some())
        })
}

/// Whether the routes of a group become one split.
pub(super) fn is_folded(old: &Old, group: &Group) -> bool {
    is_split(old) && splits::folded(group).is_some()
}

impl Parts {
    /// A name that no other rule or split has.
    fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while self.names.contains(&name) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        self.names.push(name.clone());
        name
    }

    fn rule(&mut self, rule: PolicyValue, file: usize, at: &Range<usize>) {
        self.origins.push((format!("rules[{}]", self.rules.len()), file, at.clone()));
        self.rules.push(rule);
    }

    fn split(&mut self, split: PolicyValue, file: usize, at: &Range<usize>) {
        self.origins.push((format!("splits[{}]", self.splits.len()), file, at.clone()));
        self.splits.push(split);
    }
}

/// The matches of a route, with the hosts of its group; nothing if it takes everything.
fn matches(hosts: &Hosts, route: &Route, log: &mut Log) -> Vec<PolicyValue> {
    let everything = [Match::default()];
    let all = if route.matches.is_empty() { &everything[..] } else { &route.matches };
    if *hosts == Hosts::Any && all.iter().any(Match::is_everything) && route.path.is_none() {
        return Vec::new();
    }
    all.iter().map(|one| conditions::table(hosts, one, &route.at, log).into()).collect()
}

impl Hosts {
    /// Whether a request for one of these hosts could be for the other ones too.
    pub(super) fn is_within(&self, wider: &Self) -> bool {
        match (self, wider) {
            (Self::Any, _) => false,
            (_, Self::Any) => true,
            (Self::Names(own), Self::Names(wider)) => own.iter().any(|own| {
                wider.iter().any(|wider| {
                    wider.strip_prefix('*').is_some_and(|end| own != wider && own.ends_with(end))
                })
            }),
            _ => false,
        }
    }

    /// Whether both have one host, written alike.
    pub(super) fn shares(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Names(own), Self::Names(others)) => {
                own.iter().any(|own| others.iter().any(|other| own.eq_ignore_ascii_case(other)))
            }
            (own, other) => own == other,
        }
    }

    /// How specific they are: names before patterns, longer patterns before shorter ones, everything last.
    pub(super) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Any => (0, 0),
            Self::Service(_) => (2, 0),
            Self::Names(names) => names
                .iter()
                .map(|name| if name.starts_with('*') { (1, name.len()) } else { (2, 0) })
                .min()
                .unwrap_or_default(),
        }
    }
}
