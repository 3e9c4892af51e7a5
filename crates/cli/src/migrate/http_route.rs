//! Gateway API's `HTTPRoute`. Its most specific match wins, so the rules are sorted by that.

mod filters;
mod matching;

use narrows_core::PolicyValue;

use super::destinations::{Destinations, plain};
use super::difference::Log;
use super::edits::joined;
use super::fields::Fields;
use super::old::{Action, Backend, Edits, Group, Hosts, Match, PathKind, RemainsKind, Route};
use super::value::{Table, list, text};
use crate::source::Node;
use filters::Filters;

/// Reads the resource.
pub(super) fn read(resource: &Node, file: usize, log: &mut Log) -> Group {
    let name = resource.text_at("metadata.name").unwrap_or("http-route").to_owned();
    let mut destinations = Destinations::default();
    let mut kept = Table::default();
    let mut hosts = Hosts::Any;
    let mut routes = Vec::new();
    if let Some(spec) = super::general::spec(resource, "an HTTPRoute", log) {
        let mut spec = Fields::of(spec, log);
        for parent in spec.list("parentRefs", log) {
            reference(parent, "a parent", log);
        }
        let parents = spec.node().get("parentRefs");
        let host_node = spec.node().get("hostnames");
        let names = spec.texts("hostnames", log);
        kept =
            kept.maybe("parentRefs", parents.map(Node::tree)).maybe("hostnames", host_node.map(Node::tree));
        hosts = self::hosts(resource, parents, names, log);
        for (number, rule) in spec.list("rules", log).iter().enumerate() {
            let named = plain(&format!("{name}-{}", number + 1));
            routes.push(self::rule(rule, named, &mut destinations, log));
        }
        spec.rest("an HTTPRoute", log);
    }
    let head = Table::default()
        .maybe("apiVersion", resource.get("apiVersion").map(Node::tree))
        .with("kind", text("HTTPRoute"))
        .maybe("metadata", super::general::metadata(resource))
        .with("spec", kept.into());
    let mut sorted = sorted(&routes);
    let last = sorted.last_mut().filter(|route| route.takes_all());
    let fallback = last.and_then(|route| {
        route.rests = true;
        destinations.written(route.stable()?)
    });
    let remains = destinations.remains(RemainsKind::HttpRoute, head.into(), fallback.into_iter().collect());
    Group { file, name, hosts, routes: sorted, remains: Some(remains) }
}

/// Refuses what a reference to a resource does not have, or has in another type.
fn reference(node: &Node, what: &str, log: &mut Log) {
    let mut fields = Fields::of(node, log);
    for field in ["group", "kind", "name", "namespace", "sectionName"] {
        fields.text(field, log);
    }
    fields.port("port", log);
    fields.rest(what, log);
}

/// The hosts: of a route for a Service it is that service.
fn hosts(resource: &Node, parents: Option<&Node>, names: Vec<String>, log: &mut Log) -> Hosts {
    let parents = parents.map(Node::elements).unwrap_or_default();
    let services: Vec<&Node> =
        parents.iter().filter(|parent| parent.text_at("kind") == Some("Service")).collect();
    match *services {
        [] if names.is_empty() || names.iter().any(|name| name == "*") => Hosts::Any,
        [] => Hosts::Names(names),
        [service] if parents.len() == 1 => {
            let own = resource.text_at("metadata.namespace").unwrap_or("default");
            let namespace = service.text_at("namespace").unwrap_or(own);
            Hosts::Service(format!("{}.{namespace}", service.text_at("name").unwrap_or("service")))
        }
        [first, ..] => {
            log.refuse(
                &first.at,
                "it has several parents, and one is a Service",
                "make it an HTTPRoute of its own for each Service",
            );
            Hosts::Any
        }
    }
}

/// A rule. What stays with its destination is written for the resource that remains.
fn rule(node: &Node, name: String, destinations: &mut Destinations, log: &mut Log) -> Route {
    let mut fields = Fields::of(node, log);
    let name = super::general::name(&mut fields, name, log);
    let mut route = Route::new(name, node.head(), Action::Pass);
    route.matches = fields.list("matches", log).iter().map(|node| matching::read(node, log)).collect();
    let filters = Filters::read(fields.list("filters", log), log);
    let mut kept = Table::default();
    for field in ["timeouts", "retry"] {
        if let Some(node) = fields.take(field) {
            log.stays(
                &node.at,
                format!("\"{field}\" stays in the route of the destination"),
                "keep the resource that --routes writes",
            );
            kept = kept.with(field, node.tree());
        }
    }
    fields.refuse(
        &[(
            "sessionPersistence",
            "write a \"key\" of canary-split, or use the cookie of your implementation",
        )],
        log,
    );
    let refs = fields.list("backendRefs", log);
    fields.rest("a rule", log);
    route.request = filters.request;
    route.response = filters.response;
    route.path = filters.path;
    if let Some(redirect) = filters.redirect {
        route.action = Action::Redirect(redirect);
        return route;
    }
    let mut backends = Vec::new();
    for node in refs {
        backends.extend(backend(node, &filters.kept, &kept, destinations, log));
    }
    route.action = forward(&mut route.request, &mut route.response, backends);
    route
}

/// A rule without backends, or without any weight, is answered with 500.
fn forward(request: &mut Edits, response: &mut Edits, mut backends: Vec<Backend>) -> Action {
    if backends.iter().all(|backend| backend.weight == 0) {
        return Action::Respond { status: 500, body: None };
    }
    if let [only] = &mut *backends {
        *request = joined(std::mem::take(request), std::mem::take(&mut only.request));
        *response = joined(std::mem::take(response), std::mem::take(&mut only.response));
        only.weight = 1;
    }
    Action::Forward(backends)
}

fn backend(
    node: &Node,
    filters: &[PolicyValue],
    kept: &Table,
    destinations: &mut Destinations,
    log: &mut Log,
) -> Option<Backend> {
    let mut fields = Fields::of(node, log);
    let weight = match fields.take("weight") {
        Some(_) => fields.number("weight", log).unwrap_or_default(),
        None => 1,
    };
    let own = Filters::read(fields.list("filters", log), log);
    if own.redirect.is_some() || own.path.is_some() {
        log.refuse(
            &node.at,
            "a backend that redirects or rewrites by itself is not converted",
            "write the filter at the rule",
        );
    }
    let mut reference = Table::default();
    for field in ["group", "kind", "name", "namespace"] {
        fields.text(field, log);
    }
    fields.port("port", log);
    for field in ["group", "kind", "name", "namespace", "port"] {
        reference = reference.maybe(field, fields.take(field).map(Node::tree));
    }
    fields.rest("a backend", log);
    let Some(PolicyValue::Text(name)) = reference.get("name").cloned() else {
        log.refuse(&node.at, "a backend without a name", "write the name of its Service");
        return None;
    };
    let all: Vec<PolicyValue> = filters.iter().chain(&own.kept).cloned().collect();
    let mut written = Table::default().some("filters", all);
    for field in ["timeouts", "retry"] {
        written = written.maybe(field, kept.get(field).cloned());
    }
    let written = PolicyValue::from(written.with("backendRefs", list([reference.into()])));
    let to = destinations.name(&plain(&name), &written);
    Some(Backend { to, weight, request: own.request, response: own.response })
}

/// One route for each match, the most specific first. Matches of a rule that stay neighbours stay together.
fn sorted(routes: &[Route]) -> Vec<Route> {
    let mut all: Vec<(usize, Match)> = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        if route.matches.is_empty() {
            all.push((number, Match::default()));
        }
        all.extend(route.matches.iter().map(|one| (number, one.clone())));
    }
    all.sort_by_key(|(_, one)| std::cmp::Reverse(rank(one)));
    let mut sorted: Vec<(usize, Route)> = Vec::new();
    for (number, one) in all {
        let Some(rule) = routes.get(number) else { continue };
        match sorted.last_mut() {
            Some((known, last)) if *known == number => last.matches.push(one),
            _ => {
                let parts = sorted.iter().filter(|(known, _)| *known == number).count();
                let name =
                    if parts == 0 { rule.name.clone() } else { format!("{}-{}", rule.name, parts + 1) };
                sorted.push((number, Route { name, matches: vec![one], ..rule.clone() }));
            }
        }
    }
    sorted.into_iter().map(|(_, route)| route).collect()
}

/// How specific a match is, as Gateway API orders them: the path, the method, headers, parameters.
fn rank(one: &Match) -> (u8, usize, bool, usize, usize) {
    use super::old::On;
    let (kind, length) = match &one.path {
        Some(path) => {
            let kind = match path.how {
                PathKind::Exact => 3,
                PathKind::Prefix | PathKind::Segments => 2,
                PathKind::Regex => 1,
            };
            (kind, path.text.len())
        }
        // No path is the prefix "/".
        None => (2, 1),
    };
    let count = |is: fn(&On) -> bool| one.conditions.iter().filter(|condition| is(&condition.on)).count();
    (
        kind,
        length,
        count(|on| matches!(on, On::Method)) > 0,
        count(|on| matches!(on, On::Header(_))),
        count(|on| matches!(on, On::Query(_))),
    )
}
