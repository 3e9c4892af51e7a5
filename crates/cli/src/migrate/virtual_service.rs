//! Istio's `VirtualService`, as istiod makes routes of it.

mod hosts;
mod matching;

use narrows_core::PolicyValue;

use super::destinations::{Destinations, plain};
use super::difference::Log;
use super::edits;
use super::fields::Fields;
use super::old::{Action, Backend, Edits, Group, Hosts, NewPath, PathKind, Redirect, RemainsKind, Route};
use super::value::{Table, list, one, text};
use crate::source::Node;

/// What stays with the route of a destination: it is not about which requests go there.
const KEPT: [&str; 8] =
    ["timeout", "retries", "fault", "mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "corsPolicy"];

/// Reads the resource.
pub(super) fn read(resource: &Node, file: usize, log: &mut Log) -> Group {
    let name = resource.text_at("metadata.name").unwrap_or("virtual-service").to_owned();
    let mut destinations = Destinations::default();
    let mut routes = Vec::new();
    let mut fallback = None;
    let mut hosts = Hosts::Any;
    let mut kept = Table::default();
    if let Some(spec) = super::general::spec(resource, "a VirtualService", log) {
        let mut spec = Fields::of(spec, log);
        let is_mesh = hosts::is_mesh(&mut spec, log);
        hosts = hosts::read(resource, &mut spec, is_mesh, log);
        spec.texts("exportTo", log);
        for field in ["hosts", "gateways", "exportTo", "tls", "tcp"] {
            kept = kept.maybe(field, spec.take(field).map(Node::tree));
        }
        let http = spec.list("http", log);
        for (number, entry) in http.iter().enumerate() {
            let named = plain(&format!("{name}-{}", number + 1));
            let (mut route, written) = route(entry, named, &hosts, &mut destinations, log);
            if number + 1 == http.len() && route.matches.is_empty() {
                fallback = written;
                route.rests = true;
            }
            routes.push(route);
        }
        spec.rest("a VirtualService", log);
    }
    let head = Table::default()
        .maybe("apiVersion", resource.get("apiVersion").map(Node::tree))
        .with("kind", text("VirtualService"))
        .maybe("metadata", super::general::metadata(resource))
        .with("spec", kept.into());
    let remains =
        destinations.remains(RemainsKind::VirtualService, head.into(), fallback.into_iter().collect());
    Group { file, name, hosts, routes, remains: Some(remains) }
}

/// A route; and what is written for it in the resource that remains, if it leads anywhere.
fn route(
    entry: &Node,
    name: String,
    hosts: &Hosts,
    destinations: &mut Destinations,
    log: &mut Log,
) -> (Route, Option<PolicyValue>) {
    let mut fields = Fields::of(entry, log);
    let name = super::general::name(&mut fields, name, log);
    let mut route = Route::new(name, entry.head(), Action::Pass);
    let matches = fields.list("match", log);
    route.matches = matches.iter().map(|node| matching::read(node, hosts, log)).collect();
    if let Some(headers) = fields.take("headers") {
        let mut headers = Fields::of(headers, log);
        route.request = edits::istio(headers.take("request"), "request headers", log);
        route.response = edits::istio(headers.take("response"), "response headers", log);
        headers.rest("\"headers\"", log);
    }
    fields.refuse(
        &[(
            "delegate",
            "write the routes of the VirtualService that it names in its place, each with both matches",
        )],
        log,
    );
    let mut kept = Table::default();
    for field in KEPT {
        if let Some(node) = fields.take(field) {
            log.stays(
                &node.at,
                format!("\"{field}\" stays in the route of the destination"),
                "keep the resource that --routes writes",
            );
            kept = kept.with(field, node.tree());
        }
    }
    rewrite(&mut fields, &mut route, &mut kept, log);
    let redirect = fields.take("redirect");
    let answer = fields.take("directResponse");
    let to = fields.list("route", log);
    let mut written = None;
    if let Some(node) = redirect {
        route.action = Action::Redirect(self::redirect(node, log));
    } else if let Some(node) = answer {
        route.action = respond(node, log);
    } else {
        let targets: Vec<_> = to.iter().map(|node| target(node, log)).collect();
        let mut backends = Vec::new();
        for (destination, weight, request, response) in targets {
            let route = PolicyValue::from(Table::default().with("destination", destination.clone()));
            let whole = with_fields(&kept, ("route", list([route])));
            let to = destinations.name(&wanted(&destination), &whole);
            backends.push((Backend { to, weight, request, response }, whole));
        }
        if backends.is_empty() && entry.get("delegate").is_none() {
            log.refuse(
                &entry.at,
                "the route leads nowhere",
                "write \"route\", \"redirect\" or \"directResponse\"",
            );
        }
        written = settle(&mut route, backends);
    }
    if written.is_none() && !kept.is_empty() {
        log.refuse(
            &entry.at,
            "an answer of the filter has no route, and no timeout, retries, fault or mirror",
            "take them out: Envoy does not use them there either",
        );
    }
    fields.rest("a route", log);
    (route, written)
}

/// What a route with these destinations does. One destination's edits are those of its route. Those without
/// weight beside others get nothing.
fn settle(route: &mut Route, mut backends: Vec<(Backend, PolicyValue)>) -> Option<PolicyValue> {
    if let [(only, _)] = &mut *backends {
        route.request = edits::joined(std::mem::take(&mut route.request), std::mem::take(&mut only.request));
        route.response =
            edits::joined(std::mem::take(&mut route.response), std::mem::take(&mut only.response));
        only.weight = 1;
    }
    route.action = Action::Forward(backends.iter().map(|(backend, _)| backend.clone()).collect());
    backends.into_iter().nth(route.baseline()).map(|(_, written)| written)
}

fn with_fields(kept: &Table, field: (&str, PolicyValue)) -> PolicyValue {
    let mut all = Table::default();
    for name in ["rewrite"].iter().chain(&KEPT) {
        all = all.maybe(name, kept.get(name).cloned());
    }
    all.with(field.0, field.1).into()
}

/// The name of a destination: the service, with its subset.
fn wanted(destination: &PolicyValue) -> String {
    let PolicyValue::Table(fields) = destination else { return "destination".to_owned() };
    let text = |name: &str| match fields.iter().find(|(known, _)| known == name) {
        Some((_, PolicyValue::Text(text))) => Some(text.as_str()),
        _ => None,
    };
    let host = text("host").unwrap_or("destination");
    let host = host.strip_suffix(".svc.cluster.local").unwrap_or(host);
    plain(&text("subset").map_or(host.to_owned(), |subset| format!("{host}-{subset}")))
}

/// The destination, its weight and its edits.
fn target(node: &Node, log: &mut Log) -> (PolicyValue, u64, Edits, Edits) {
    let mut fields = Fields::of(node, log);
    let weight = fields.number("weight", log).unwrap_or_default();
    let destination = fields.take("destination").map(|node| to_service(node, log));
    let (mut request, mut response) = (Edits::default(), Edits::default());
    if let Some(headers) = fields.take("headers") {
        let mut headers = Fields::of(headers, log);
        request = edits::istio(headers.take("request"), "request headers", log);
        response = edits::istio(headers.take("response"), "response headers", log);
        headers.rest("\"headers\"", log);
    }
    fields.rest("an entry of \"route\"", log);
    if destination.is_none() {
        log.refuse(&node.at, "there is no \"destination\"", "write where the requests go");
    }
    (destination.unwrap_or(PolicyValue::Null), weight, request, response)
}

/// A destination, as it is written.
fn to_service(node: &Node, log: &mut Log) -> PolicyValue {
    let mut fields = Fields::of(node, log);
    let host = fields.text("host", log);
    if host.is_none() && node.get("host").is_none() {
        log.refuse(&node.at, "a destination without a host", "write the name of its service: \"host\"");
    }
    fields.text("subset", log);
    if let Some(port) = fields.take("port") {
        let mut port = Fields::of(port, log);
        port.port("number", log);
        port.rest("a port", log);
    }
    fields.rest("a destination", log);
    node.tree()
}

/// The path is rewritten by the policy; the host by the route, because Envoy finds the route by the host.
fn rewrite(fields: &mut Fields<'_>, route: &mut Route, kept: &mut Table, log: &mut Log) {
    let Some(node) = fields.take("rewrite") else { return };
    let mut rewrite = Fields::of(node, log);
    if let Some(node) = rewrite.take("authority") {
        log.stays(
            &node.at,
            "the host is rewritten in the route of the destination",
            "keep the resource that --routes writes",
        );
        *kept = std::mem::take(kept).with("rewrite", one("authority", node.tree()));
    }
    if let Some(node) = rewrite.take("uriRegexRewrite") {
        let mut regex = Fields::of(node, log);
        let (from, to) = (regex.text("match", log), regex.text("rewrite", log));
        regex.rest("\"uriRegexRewrite\"", log);
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        route.path = Some(NewPath::Regex(from.to_owned(), to.to_owned()));
        rewrite.ignore(&["uri"]);
    } else if let Some(uri) = rewrite.text("uri", log) {
        route.path = Some(NewPath::Prefix(uri.to_owned()));
        let joins = route.matches.iter().filter_map(|one| one.path.as_ref());
        let doubles = |path: &super::old::PathTest| path.how == PathKind::Prefix && !path.text.ends_with('/');
        if uri.ends_with('/') && joins.into_iter().any(doubles) {
            log.differs(
                &node.at,
                "where two slashes would meet in the new path, there is one",
                "nothing, unless the application needs the second one",
            );
        }
    }
    if route.path.is_some() {
        super::rewrites(&node.at, log);
    }
    rewrite.rest("\"rewrite\"", log);
}

fn redirect(node: &Node, log: &mut Log) -> Redirect {
    let mut fields = Fields::of(node, log);
    let uri = fields.text("uri", log).map(str::to_owned);
    let (path, query) = match uri.as_deref().map(|uri| uri.split_once('?').unwrap_or((uri, ""))) {
        Some((path, query)) => (Some(path.to_owned()), Some(query).filter(|query| !query.is_empty())),
        None => (None, None),
    };
    let redirect = Redirect {
        scheme: fields.text("scheme", log).map(str::to_owned),
        host: fields.text("authority", log).map(str::to_owned),
        port: fields.port("port", log),
        path: path.filter(|path| !path.is_empty()).map(NewPath::Full),
        query: query.map(str::to_owned),
        status: fields.number("redirectCode", log).unwrap_or(301),
    };
    if let Some(derived) = fields.text("derivePort", log).filter(|how| *how != "FROM_PROTOCOL_DEFAULT")
        && let Some(derive) = node.get("derivePort")
    {
        log.refuse(
            &derive.at,
            format!("\"derivePort: {derived}\" is not converted"),
            "write \"port\": the port of the listener",
        );
    }
    fields.rest("a redirect", log);
    super::redirects(&redirect, &node.at, log);
    redirect
}

fn respond(node: &Node, log: &mut Log) -> Action {
    let mut fields = Fields::of(node, log);
    let status = fields.number("status", log).unwrap_or(200);
    let body = fields.take("body").and_then(|body| {
        let mut body = Fields::of(body, log);
        body.refuse(&[("bytes", "write the body as \"string\"")], log);
        let text = body.text("string", log);
        body.rest("a body", log);
        text
    });
    fields.rest("a direct response", log);
    super::answers(&node.at, log);
    Action::Respond { status, body: body.map(str::to_owned) }
}
