//! Envoy's own routes: virtual hosts, wherever they are in a file.

mod action;
mod matching;

use super::destinations::{Destinations, plain};
use super::difference::Log;
use super::edits;
use super::fields::Fields;
use super::general;
use super::old::{Action, Group, Hosts, RemainsKind, Route};
use super::value::Table;
use crate::source::{Key, Node, Value};

/// The virtual hosts of a document, if there is just one list of them, in the spelling of Envoy's files;
/// several are refused. Envoy's dump has the same list twice.
pub(super) fn find(document: &Node, log: &mut Log) -> Vec<Node> {
    let mut found = Vec::new();
    search(document, &mut found);
    let Some(first) = found.first() else { return Vec::new() };
    let tree = first.tree();
    if let Some(other) = found.iter().find(|list| list.tree() != tree) {
        log.refuse(
            &other.head(),
            "there are several route configurations",
            "put the one to convert into a file of its own",
        );
    }
    beside(document, log);
    first.elements().iter().map(snake).collect()
}

/// Fields of a route configuration that change no request which has a virtual host.
const BESIDE: [&str; 6] = [
    "@type",
    "ignore_port_in_host_matching",
    "max_direct_response_body_size_bytes",
    "name",
    "validate_clusters",
    "virtual_hosts",
];

/// What the first route configuration says beside its virtual hosts.
fn beside(document: &Node, log: &mut Log) {
    let has_hosts = |node: &Node| {
        let is_list =
            |(key, value): &(Key, Node)| spelt(&key.name) == "virtual_hosts" && !value.elements().is_empty();
        node.fields().iter().any(is_list)
    };
    if !has_hosts(document) {
        if let Some(inner) = document.children().find(|child| self::has_hosts(child)) {
            beside(inner, log);
        }
        return;
    }
    for (key, _) in document.fields() {
        match &*spelt(&key.name) {
            name if BESIDE.contains(&name) => {}
            name @ ("ignore_path_parameters_in_path_matching" | "vhost_header") => log.refuse(
                &key.at,
                format!("\"{name}\" is not converted"),
                "take it out: a policy looks at the whole path and at the host",
            ),
            name => log.stays(
                &key.at,
                format!("\"{name}\" of the route configuration stays, and --routes does not write it"),
                "keep it where it is",
            ),
        }
    }
}

/// Fields that hold names which are not Envoy's: keys of metadata, fields of a `Struct`. They stay as they are;
/// Envoy reads its own names in both spellings.
const OTHERS_NAMES: [&str; 4] = ["metadata", "metadata_match", "typed_config", "typed_per_filter_config"];

/// The same with the names of fields as Envoy's files spell them: istioctl prints `virtualHosts`.
fn snake(node: &Node) -> Node {
    let field = |(key, value): &(Key, Node)| {
        let name = spelt(&key.name);
        let value = if OTHERS_NAMES.contains(&&*name) { value.clone() } else { snake(value) };
        (Key { at: key.at.clone(), name }, value)
    };
    let value = match &node.value {
        Value::Table(fields) => Value::Table(fields.iter().map(field).collect()),
        Value::List(elements) => Value::List(elements.iter().map(snake).collect()),
        scalar @ Value::Scalar(_) => scalar.clone(),
    };
    Node { at: node.at.clone(), value }
}

/// A field's name; the name of a filter, which has dots, stays.
fn spelt(name: &str) -> String {
    let is_field = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_field {
        return name.to_owned();
    }
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Whether there is a list of virtual hosts anywhere.
pub(super) fn has_hosts(document: &Node) -> bool {
    let mut found = Vec::new();
    search(document, &mut found);
    !found.is_empty()
}

fn search<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    for (key, value) in node.fields() {
        if ["virtual_hosts", "virtualHosts"].contains(&key.name.as_str()) && !value.elements().is_empty() {
            found.push(value);
            return;
        }
    }
    node.children().for_each(|child| search(child, found));
}

/// Reads a virtual host.
pub(super) fn read(node: &Node, file: usize, log: &mut Log) -> Group {
    let mut fields = Fields::of(node, log);
    let name = fields.text("name", log).unwrap_or("host").to_owned();
    let domains = fields.texts("domains", log);
    if domains.is_empty() && node.get("domains").is_none() {
        log.refuse(&node.head(), "a virtual host without \"domains\"", "write them; \"*\" is every host");
    }
    if let Some(node) = node.get("domains") {
        general::stars(&domains, &node.at, log);
    }
    let hosts = if domains.iter().any(|domain| domain == "*") || domains.is_empty() {
        Hosts::Any
    } else {
        Hosts::Names(domains)
    };
    let mut destinations = Destinations::default();
    let mut routes = Vec::new();
    let list = fields.list("routes", log);
    for (number, entry) in list.iter().enumerate() {
        routes.push(route(entry, plain(&format!("{name}-{}", number + 1)), &mut destinations, log));
    }
    let mut resource = Table::default();
    for (field, value) in node.fields().iter().filter(|(key, _)| key.name != "routes") {
        resource = resource.with(&field.name, value.tree());
    }
    for (field, value) in fields.others() {
        log.stays(&value.at, format!("\"{field}\" of the virtual host stays"), "keep what --routes writes");
    }
    let rest = routes.last_mut().filter(|route| route.takes_all()).and_then(|route| {
        route.rests = true;
        destinations.written(route.stable()?)
    });
    let rest = rest.into_iter().collect();
    let remains = destinations.remains(RemainsKind::VirtualHost, resource.into(), rest);
    Group { file, name, hosts, routes, remains: Some(remains) }
}

fn route(node: &Node, name: String, destinations: &mut Destinations, log: &mut Log) -> Route {
    let mut fields = Fields::of(node, log);
    let name = general::name(&mut fields, name, log);
    let mut route = Route::new(name, node.head(), Action::Pass);
    if let Some(node) = fields.take("match") {
        let one = matching::read(node, log);
        // The prefix "/" stays: a rewrite replaces it.
        route.matches.push(one);
    }
    route.request = edits::envoy(&mut fields, "request", log);
    route.response = edits::envoy(&mut fields, "response", log);
    let (forward, redirect, answer) =
        (fields.take("route"), fields.take("redirect"), fields.take("direct_response"));
    fields.refuse(
        &[("filter_action", "take the route out"), ("non_forwarding_action", "take the route out")],
        log,
    );
    let kept = fields.others();
    if let Some(node) = forward {
        action::forward(node, &kept, &mut route, destinations, log);
        return route;
    }
    for (field, value) in kept {
        log.refuse(&value.at, format!("\"{field}\" beside an answer is not converted"), "take it out");
    }
    if let Some(node) = redirect {
        route.action = Action::Redirect(action::redirect(node, log));
    } else if let Some(node) = answer {
        route.action = action::respond(node, log);
    } else {
        log.refuse(
            &node.at,
            "the route does nothing that is known",
            "write \"route\", \"redirect\" or \"direct_response\"",
        );
    }
    route
}
