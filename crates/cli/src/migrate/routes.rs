//! The resource that is left: one route for each destination, by the header that the policy writes.

use narrows_core::PolicyValue;

use super::old::{Old, Remains, RemainsKind};
use super::policy::ROUTE_HEADER;
use super::value::{Table, list, one, text};

/// The documents: a `VirtualService`, an `HTTPRoute` or the virtual hosts of Envoy.
pub(super) fn documents(old: &Old, policy: &PolicyValue) -> Vec<PolicyValue> {
    let mut used = Vec::new();
    destinations(policy, &mut used);
    let mut documents = Vec::new();
    let mut hosts = Vec::new();
    for remains in old.groups.iter().filter_map(|group| group.remains.as_ref()) {
        let routes = routes(remains, &used);
        match remains.kind {
            RemainsKind::VirtualHost => hosts.push(with(&remains.resource, &["routes"], routes)),
            RemainsKind::VirtualService => documents.push(with(&remains.resource, &["spec", "http"], routes)),
            RemainsKind::HttpRoute => documents.push(with(&remains.resource, &["spec", "rules"], routes)),
        }
    }
    if !hosts.is_empty() {
        documents.push(one("virtual_hosts", PolicyValue::List(hosts)));
    }
    documents
}

/// What a resource is called: its kind, its name and its namespace.
pub(super) fn called(resource: &PolicyValue) -> Option<String> {
    let text = |table: &PolicyValue, name: &str| match field(table, name) {
        Some(PolicyValue::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let metadata = field(resource, "metadata")?;
    let name = format!("{} {}", text(resource, "kind")?, text(metadata, "name")?);
    Some(text(metadata, "namespace").map_or(name.clone(), |namespace| format!("{name} in {namespace}")))
}

fn field<'t>(table: &'t PolicyValue, name: &str) -> Option<&'t PolicyValue> {
    let PolicyValue::Table(fields) = table else { return None };
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn routes(remains: &Remains, used: &[String]) -> PolicyValue {
    let used = remains.routes.iter().filter(|(name, _)| used.contains(name));
    let everything = (remains.kind == RemainsKind::VirtualHost).then(|| one("prefix", text("/")));
    let rest = remains.rest.iter().map(|route| match &everything {
        Some(everything) => first("match", everything.clone(), route),
        None => route.clone(),
    });
    list(used.map(|(name, written)| by_header(remains.kind, name, written)).chain(rest))
}

/// The route of a destination.
fn by_header(kind: RemainsKind, name: &str, written: &PolicyValue) -> PolicyValue {
    let value = || one("exact", text(name));
    let named = || Table::default().with("name", text(ROUTE_HEADER));
    match kind {
        RemainsKind::VirtualService => {
            let condition = one("headers", one(ROUTE_HEADER, value()));
            first("match", list([condition]), written)
        }
        RemainsKind::HttpRoute => {
            let header = named().with("value", text(name));
            first("matches", list([one("headers", list([header.into()]))]), written)
        }
        RemainsKind::VirtualHost => {
            let header = named().with("string_match", value());
            let condition = Table::default().with("prefix", text("/")).with("headers", list([header.into()]));
            first("match", condition.into(), written)
        }
    }
}

/// A table with a field before its own.
fn first(name: &str, value: PolicyValue, table: &PolicyValue) -> PolicyValue {
    let PolicyValue::Table(fields) = table else { return table.clone() };
    let mut all = vec![(name.to_owned(), value)];
    all.extend(fields.iter().cloned());
    PolicyValue::Table(all)
}

/// A table with a field more, somewhere inside.
fn with(table: &PolicyValue, path: &[&str], value: PolicyValue) -> PolicyValue {
    let (PolicyValue::Table(fields), Some((name, inner))) = (table, path.split_first()) else { return value };
    let mut all: Vec<(String, PolicyValue)> = fields.clone();
    match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = with(known, inner, value),
        None => all.push(((*name).to_owned(), value)),
    }
    PolicyValue::Table(all)
}

/// Every destination that a policy writes.
fn destinations(tree: &PolicyValue, found: &mut Vec<String>) {
    match tree {
        PolicyValue::Table(fields) => {
            for (name, value) in fields {
                match value {
                    PolicyValue::Text(to) if name == "to" => found.push(to.clone()),
                    other => destinations(other, found),
                }
            }
        }
        PolicyValue::List(elements) => elements.iter().for_each(|element| destinations(element, found)),
        _ => {}
    }
}
