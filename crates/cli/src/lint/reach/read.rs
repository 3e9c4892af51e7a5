//! Reads what the rules of a policy match.

use narrows_core::PolicyValue;

use super::values::{Sort, Test};
use super::{Condition, Cube, Mode, Rule};
use crate::filter::Filter;
use crate::placement::deed::is_on;
use crate::source::{Node, Value};
use crate::write::json;

/// The lists of a policy of which the first that matches acts.
pub(super) fn lists(filter: Filter, policy: &Node) -> Vec<(&'static str, Vec<Rule<'_>>)> {
    let whole = mode(policy);
    // Of the others the order does not matter.
    let mut lists = Vec::new();
    if whole == Mode::Off {
        return lists;
    }
    let part = |own: Filter, name: &str| match filter {
        Filter::Narrows => policy.get(name),
        filter => (filter == own).then_some(policy),
    };
    let prefix = |name: &str| if filter == Filter::Narrows { format!("{name}.") } else { String::new() };
    lists.extend(
        part(Filter::HeaderRouter, "router").map(|part| ("rule", rules(part, &prefix("router"), whole))),
    );
    lists.extend(
        part(Filter::CanarySplit, "split").map(|part| ("split", splits(part, &prefix("split"), whole))),
    );
    lists.extend(
        part(Filter::EgressPolicy, "egress")
            .into_iter()
            .flat_map(|part| egress(part, &prefix("egress"), whole)),
    );
    lists
}

fn mode(node: &Node) -> Mode {
    match node.text_at("mode") {
        Some("off") => Mode::Off,
        Some("report") => Mode::Report,
        _ => Mode::Enforce,
    }
}

/// The mode of a part of a policy: the weaker of the two.
fn within(own: Mode, whole: Mode) -> Mode {
    if own == Mode::Enforce { whole } else { own }
}

fn rules<'n>(policy: &'n Node, place: &str, whole: Mode) -> Vec<Rule<'n>> {
    let rules = policy.get("rules").map(Node::elements).unwrap_or_default().iter().enumerate();
    rules
        .map(|(i, node)| Rule {
            name: node.text_at("name").unwrap_or_default(),
            node,
            place: format!("{place}rules[{i}]"),
            cubes: alternatives(node, None),
            // A destination that quotes the request may be one that cannot be made.
            takes: !node.text_at("route.to").is_some_and(|to| to.contains(['%', '{', '$'])),
            mode: within(mode(node), whole),
        })
        .collect()
}

fn splits<'n>(policy: &'n Node, place: &str, whole: Mode) -> Vec<Rule<'n>> {
    // Incoming requests are judged by another host.
    if is_on(policy, "restoreHost") {
        return Vec::new();
    }
    let splits = policy.get("splits").map(Node::elements).unwrap_or_default().iter().enumerate();
    splits
        .map(|(i, node)| Rule {
            name: node.text_at("name").unwrap_or_default(),
            node,
            place: format!("{place}splits[{i}]"),
            cubes: alternatives(node, hosts(node)),
            takes: true,
            mode: within(mode(node), whole),
        })
        .collect()
}

/// Of the rules that deny the first one that matches decides, and of those that allow.
fn egress<'n>(policy: &'n Node, place: &str, whole: Mode) -> Vec<(&'static str, Vec<Rule<'n>>)> {
    let rules = policy.get("rules").map(Node::elements).unwrap_or_default().iter().enumerate();
    let read = |(i, node): (usize, &'n Node)| Rule {
        name: node.text_at("name").unwrap_or_default(),
        node,
        place: format!("{place}rules[{i}]"),
        cubes: vec![Cube(outgoing(node))],
        takes: true,
        // A trial decides nothing, so nothing is said of it.
        mode: if within(mode(node), whole) == Mode::Enforce { Mode::Enforce } else { Mode::Off },
    };
    let of = |action: &'static str| {
        let own = rules.clone().filter(|(_, rule)| rule.text_at("action") == Some(action));
        ("rule", own.map(read).collect())
    };
    vec![of("deny"), of("allow")]
}

/// What a rule about outgoing calls matches.
fn outgoing(node: &Node) -> Vec<Condition> {
    let mut conditions: Vec<Condition> =
        node.get("from").map(|from| opaque("from", from)).into_iter().collect();
    let to = node.get("to");
    for (key, value) in to.map(Node::fields).unwrap_or_default().iter().filter(|(_, value)| !is_null(value)) {
        // One of the hosts or one of the blocks is enough.
        let is_alone = to.is_some_and(|to| to.get("cidrs").is_none());
        conditions.push(match (key.name.as_str(), hosts(to.unwrap_or(node))) {
            ("hosts", Some(hosts)) if is_alone => hosts,
            ("methods", _) => {
                let names: Option<Vec<_>> =
                    value.elements().iter().map(|one| one.text().map(str::to_owned)).collect();
                let test = |names| Condition {
                    about: (Sort::Method, "method".to_owned()),
                    test: Test::Is(names),
                    negated: false,
                };
                names.map_or_else(|| opaque("methods", value), test)
            }
            // A request has up to two ports, and a path several readings.
            (name, _) if name != "hosts" || is_alone => opaque(name, value),
            _ => continue,
        });
    }
    if let Some(to) = to.filter(|to| to.get("cidrs").is_some() && to.get("hosts").is_some()) {
        conditions.retain(|condition| !condition.about.1.starts_with("cidrs "));
        conditions.extend(to.get("hosts").zip(to.get("cidrs")).map(|(hosts, cidrs)| {
            let Condition { about, test, .. } = opaque("hosts", hosts);
            let about = (about.0, format!("{} {}", about.1, json::line(&cidrs.tree())));
            Condition { about, test, negated: false }
        }));
    }
    conditions
}

/// The cubes of the field `matches`, of which one must hold, each with the condition beside it.
fn alternatives(node: &Node, beside: Option<Condition>) -> Vec<Cube> {
    let matches = node.get("matches").map(Node::elements).unwrap_or_default();
    if matches.is_empty() {
        return vec![Cube(beside.into_iter().collect())];
    }
    // Hosts at both places are more than one condition: nobody knows here what it matches.
    if beside.is_some() && matches.iter().any(|one| hosts(one).is_some()) {
        return Vec::new();
    }
    matches.iter().map(|one| Cube(beside.iter().cloned().chain(cube(one)).collect())).collect()
}

fn cube(node: &Node) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = hosts(node).into_iter().collect();
    for (key, value) in node.fields().iter().filter(|(_, value)| !is_null(value)) {
        match key.name.as_str() {
            "hosts" | "service" => {}
            "path" => conditions.push(single(Sort::Path, "path", value)),
            "method" => conditions.push(single(Sort::Method, "method", value)),
            "headers" | "cookies" | "queryParams" => {
                let name = |name: &str| {
                    // Names of headers have no letter case.
                    let name =
                        if key.name == "headers" { name.to_ascii_lowercase() } else { name.to_owned() };
                    format!("{}:{name}", key.name)
                };
                conditions.extend(value.fields().iter().map(|(of, value)| named(name(&of.name), value)));
            }
            other => conditions.push(opaque(other, value)),
        }
    }
    conditions
}

fn is_null(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(PolicyValue::Null))
}

fn hosts(node: &Node) -> Option<Condition> {
    if let Some(service) = node.get("service") {
        return Some(opaque("service", service));
    }
    let hosts = node.get("hosts")?;
    let text = |host: &Node| {
        let host = host.text()?.trim_end_matches('.').to_ascii_lowercase();
        // A port may be written, and is no part of the name.
        (!host.contains([':', '['])).then_some(host)
    };
    let names: Option<Vec<_>> = hosts.elements().iter().map(text).collect();
    Some(match names {
        Some(names) if !names.is_empty() => {
            Condition { about: (Sort::Host, "host".to_owned()), test: Test::Hosts(names), negated: false }
        }
        _ => opaque("hosts", hosts),
    })
}

/// A condition that is not understood: it holds or not.
fn opaque(name: &str, node: &Node) -> Condition {
    let text = json::line(&node.tree());
    Condition { about: (Sort::Named, format!("{name} {text}")), test: Test::Other(text), negated: false }
}

/// A condition on what every request has once.
fn single(sort: Sort, name: &str, node: &Node) -> Condition {
    match test(node, sort == Sort::Path).filter(|(test, _)| !matches!(test, Test::Present(_))) {
        Some((test, negated)) => Condition { about: (sort, name.to_owned()), test, negated },
        None => opaque(name, node),
    }
}

/// A condition on what may be there or not. With `invert` it is about all values of the name.
fn named(name: String, node: &Node) -> Condition {
    match test(node, false) {
        Some((test, false)) => Condition { about: (Sort::Named, name), test, negated: false },
        _ => opaque(&name, node),
    }
}

/// A test that compares texts, and whether it is inverted.
fn test(node: &Node, is_path: bool) -> Option<(Test, bool)> {
    let mut found = None;
    let mut inverted = false;
    for (key, value) in node.fields().iter().filter(|(_, value)| !is_null(value)) {
        let text = || value.text().map(str::to_owned);
        let flag = || match value.value {
            Value::Scalar(PolicyValue::Flag(flag)) => Some(flag),
            _ => None,
        };
        let test = match key.name.as_str() {
            "invert" => {
                inverted = flag()?;
                continue;
            }
            "ignoreCase" if flag() == Some(false) => continue,
            "exact" => Test::Is(vec![text()?]),
            "in" => Test::Is(
                value.elements().iter().map(|one| one.text().map(str::to_owned)).collect::<Option<_>>()?,
            ),
            "prefix" => Test::Starts(text()?),
            "pathPrefix" if is_path => Test::Segments(text()?.trim_end_matches('/').to_owned()),
            "suffix" => Test::Ends(text()?),
            "contains" => Test::Holds(text()?),
            "present" => Test::Present(flag()?),
            _ => return None,
        };
        found = Some(test);
    }
    Some((found?, inverted))
}
