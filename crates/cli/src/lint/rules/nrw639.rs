//! NRW639: a `to` that no route matches.

use std::collections::{BTreeMap, BTreeSet};

use narrows_core::destination::ROUTE_HEADER;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW639",
        title: "a destination that no route matches",
        text: "\"to\" writes the route header, x-narrows-route by default, and a route that matches its value sends the
request there. Where no route does, the request takes the route that it would have taken anyway.
It is reported if routes of the files (VirtualService, HTTPRoute, GRPCRoute) match the header and
none of them this value. Correct the name, or add the route.",
    },
    checks: &[Check::Run(check)],
};

/// The values of one header that routes match.
#[derive(Default)]
struct Matched<'n> {
    values: BTreeSet<&'n str>,
    /// Whether a route matches by anything but the whole value.
    is_open: bool,
}

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut headers: BTreeMap<String, Matched<'_>> = BTreeMap::new();
    for (_, resource) in run.of(Kind::VirtualService) {
        for clause in clauses(resource, "spec.http", "match") {
            for (name, value) in clause.get("headers").map(Node::fields).unwrap_or_default() {
                let matched = headers.entry(name.name.to_ascii_lowercase()).or_default();
                matched.add(value.text_at("exact"));
            }
        }
    }
    for (_, resource) in run.other("HTTPRoute").iter().chain(run.other("GRPCRoute")) {
        for clause in clauses(resource, "spec.rules", "matches") {
            for header in clause.get("headers").map(Node::elements).unwrap_or_default() {
                let name = header.text_at("name").unwrap_or_default().to_ascii_lowercase();
                let exact =
                    header.text_at("value").filter(|_| header.text_at("type").is_none_or(|t| t == "Exact"));
                headers.entry(name).or_default().add(exact);
            }
        }
    }
    // A split may look for what a rule before it writes.
    let marks: BTreeSet<(String, &str)> =
        run.policies.iter().flat_map(|(_, found)| marks(&found.policy)).collect();
    for (file, found) in run.policies.iter().filter(|(_, found)| found.within != Kind::Envoy) {
        let parts = [Some(&found.policy), found.policy.get("router"), found.policy.get("split")];
        for part in parts.into_iter().flatten() {
            let header = part.text_at("routeHeader").or_else(|| found.policy.text_at("routeHeader"));
            let header = header.unwrap_or(ROUTE_HEADER).to_ascii_lowercase();
            let Some(matched) = headers.get(&header).filter(|matched| !matched.is_open) else { continue };
            for (place, node) in destinations(part) {
                let Some(to) = node.text().filter(|to| !to.contains(['%', '{', '$'])) else { continue };
                if !matched.values.contains(to) && !marks.contains(&(header.clone(), to)) {
                    let known: Vec<_> = matched.values.iter().map(|value| format!("{value:?}")).collect();
                    let message = format!("no route of these files matches {header}: {to}");
                    let help = format!("write one of {}, or add the route", known.join(", "));
                    findings.push((*file, Finding::warning(&RULE.code, &node.at, &place, &message, &help)));
                }
            }
        }
    }
}

impl<'n> Matched<'n> {
    fn add(&mut self, exact: Option<&'n str>) {
        match exact {
            Some(value) => _ = self.values.insert(value),
            None => self.is_open = true,
        }
    }
}

/// The clauses of all routes of a resource.
fn clauses<'n>(resource: &'n Node, routes: &str, clauses: &'static str) -> impl Iterator<Item = &'n Node> {
    let routes = resource.get(routes).map(Node::elements).unwrap_or_default().iter();
    routes.flat_map(move |route| route.get(clauses).map(Node::elements).unwrap_or_default())
}

/// The headers and whole values that the splits of a policy match.
fn marks(policy: &Node) -> impl Iterator<Item = (String, &str)> {
    let parts = [Some(policy), policy.get("split")].into_iter().flatten();
    let splits = parts.flat_map(|part| part.get("splits").map(Node::elements).unwrap_or_default());
    let matches = splits.flat_map(|split| split.get("matches").map(Node::elements).unwrap_or_default());
    let headers = matches.flat_map(|one| one.get("headers").map(Node::fields).unwrap_or_default());
    headers.filter_map(|(key, value)| Some((key.name.to_ascii_lowercase(), value.text_at("exact")?)))
}

/// Every `to` of a policy.
fn destinations(policy: &Node) -> Vec<(String, &Node)> {
    let mut found = Vec::new();
    for (i, rule) in policy.get("rules").map(Node::elements).unwrap_or_default().iter().enumerate() {
        found.extend(rule.get("route.to").map(|to| (format!("rules[{i}].route.to"), to)));
    }
    for (i, split) in policy.get("splits").map(Node::elements).unwrap_or_default().iter().enumerate() {
        for (j, backend) in split.get("backends").map(Node::elements).unwrap_or_default().iter().enumerate() {
            found.extend(backend.get("to").map(|to| (format!("splits[{i}].backends[{j}].to"), to)));
        }
    }
    found
}
