//! NRW639: a `to` that no route matches.

use std::collections::{BTreeMap, BTreeSet};

use narrows_core::destination::ROUTE_HEADER;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::meant::is_slip;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW639",
        title: "a destination that no route matches",
        text: "\"to\" writes the route header, x-narrows-route by default, and a route that matches its value sends the
request there. Where no route does, the request takes the route that it would have taken anyway.
It is reported if routes of the files (VirtualService, HTTPRoute, GRPCRoute) match the header and
none of them this value; and if none matches the header, where the files have a route of the same
host, or, of a rule without hosts, one by a header whose name is but a letter away. Correct the
name, or add the route.",
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

/// The headers that the routes of the files match, each with its values.
fn matched<'n>(run: &Run<'n>) -> BTreeMap<String, Matched<'n>> {
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
    headers
}

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let headers = matched(run);
    // A split may look for what a rule before it writes.
    let marks: BTreeSet<(String, &str)> =
        run.policies.iter().flat_map(|(_, found)| marks(&found.policy)).collect();
    for (file, found) in run.policies.iter().filter(|(_, found)| found.within != Kind::Envoy) {
        let of_part = |part: &'static str| Some((part, found.policy.get(part)?));
        let parts = [Some(("", &found.policy)), of_part("router"), of_part("split")];
        for (within, part) in parts.into_iter().flatten() {
            let whole =
                |place: &str| if within.is_empty() { place.to_owned() } else { format!("{within}.{place}") };
            let header = part.text_at("routeHeader").or_else(|| found.policy.text_at("routeHeader"));
            let header = header.unwrap_or(ROUTE_HEADER).to_ascii_lowercase();
            let Some(matched) = headers.get(&header) else {
                let near = headers.keys().find(|name| is_slip(name, &header));
                let is_marked = |to: &str| marks.contains(&(header.clone(), to));
                if is_mentioned(run, &header) {
                    continue;
                }
                let fault = unmatched(run, part, &header, near, &is_marked);
                findings.extend(fault.map(|fault| (*file, Finding { place: whole(&fault.place), ..fault })));
                continue;
            };
            if matched.is_open {
                continue;
            }
            for (place, node) in destinations(part) {
                let Some(to) = node.text().filter(|to| !to.contains(['%', '{', '$'])) else { continue };
                if !matched.values.contains(to) && !marks.contains(&(header.clone(), to)) {
                    let known: Vec<_> = matched.values.iter().map(|value| format!("{value:?}")).collect();
                    let message = format!("no route of these files matches {header}: {to}");
                    let help = format!("write one of {}, or add the route", known.join(", "));
                    findings.push((
                        *file,
                        Finding::warning(&RULE.code, &node.at, &whole(&place), &message, &help),
                    ));
                }
            }
        }
    }
}

/// The first `to` whose requests have a route in the files, where no route matches the header.
fn unmatched(
    run: &Run<'_>,
    part: &Node,
    header: &str,
    near: Option<&String>,
    is_marked: &dyn Fn(&str) -> bool,
) -> Option<Finding> {
    // What chooses the host of a destination needs no route by a header.
    let is_sent = |node: &Node| node.text().is_some_and(|to| !is_marked(to));
    let mut all = elements(part, "rules").map(|rule| (rule, "rules")).collect::<Vec<_>>();
    all.extend(elements(part, "splits").map(|split| (split, "splits")));
    let routed = |one: &Node| {
        let hosts = hosts(one);
        hosts.iter().any(|host| is_routed(run, host)) || (hosts.is_empty() && near.is_some())
    };
    let (place, node) = destinations(part).into_iter().find(|(place, node)| {
        let number = place.split(['[', ']']).nth(1).and_then(|number| number.parse::<usize>().ok());
        let list = place.split('[').next().unwrap_or_default();
        let mut own = all.iter().filter(|(_, of)| *of == list).map(|(one, _)| *one);
        is_sent(node) && number.and_then(|number| own.nth(number)).is_some_and(routed)
    })?;
    let (what, help) = match near {
        Some(near) => (
            format!("no route of these files matches {header}, and some match {near}"),
            format!("did you mean {header:?} there?"),
        ),
        None => (
            format!("no route of these files matches {header}, and some are of the same host"),
            format!("add a route that matches {header}; without one \"to\" changes nothing"),
        ),
    };
    Some(Finding::warning(&RULE.code, &node.at, &place, &what, &help))
}

/// The whole names of hosts of a rule or a split.
fn hosts(one: &Node) -> Vec<String> {
    let own = elements(one, "hosts");
    let matched = elements(one, "matches").flat_map(|clause| elements(clause, "hosts"));
    let names = own.chain(matched).filter_map(Node::text).filter(|host| !host.contains('*'));
    let clauses = elements(one, "matches").chain(std::iter::once(one));
    let services = clauses.filter_map(|clause| clause.text_at("service"));
    let services = services.map(|service| format!("{service}.svc.cluster.local"));
    names.map(str::to_owned).chain(services).collect()
}

/// Whether a route of the files has this host by its whole name.
fn is_routed(run: &Run<'_>, host: &str) -> bool {
    let has = |resource: &Node, path: &str| {
        let own = resource.text_at("metadata.namespace").unwrap_or("default");
        let is_it = |name: &str| {
            name.eq_ignore_ascii_case(host)
                || (!name.contains('.') && format!("{name}.{own}.svc.cluster.local") == host)
        };
        elements(resource, path).filter_map(Node::text).any(is_it)
    };
    let of_istio = run.of(Kind::VirtualService).iter();
    let of_gateway_api = run.other("HTTPRoute").iter().chain(run.other("GRPCRoute"));
    // One that delegates has its routes elsewhere.
    let delegates =
        |resource: &Node| elements(resource, "spec.http").any(|route| route.get("delegate").is_some());
    let has_routes = |resource: &Node| elements(resource, "spec.http").next().is_some();
    of_istio.clone().any(|(_, one)| has(one, "spec.hosts") && has_routes(one) && !delegates(one))
        || of_gateway_api.clone().any(|(_, one)| has(one, "spec.hostnames"))
}

/// Whether something else reads the header: a route of requests without it, or Envoy's own configuration.
fn is_mentioned(run: &Run<'_>, header: &str) -> bool {
    let has = |clause: &Node| {
        let absent = clause.get("withoutHeaders").map(Node::fields).unwrap_or_default();
        absent.iter().any(|(name, _)| name.name.eq_ignore_ascii_case(header))
    };
    let routes = run.of(Kind::VirtualService);
    routes.iter().any(|(_, resource)| clauses(resource, "spec.http", "match").any(has))
        || run.of(Kind::Envoy).iter().any(|(_, resource)| names(resource, header))
}

/// Whether a text somewhere in a document is this one.
fn names(node: &Node, text: &str) -> bool {
    node.text() == Some(text) || node.children().any(|child| names(child, text))
}

fn elements<'n>(node: &'n Node, path: &str) -> impl Iterator<Item = &'n Node> {
    node.get(path).map(Node::elements).unwrap_or_default().iter()
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
