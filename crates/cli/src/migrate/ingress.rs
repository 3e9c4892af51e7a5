//! The canary annotations of ingress-nginx. Each path of a canary Ingress is a split of what the main
//! Ingress serves there.

mod annotations;
mod paths;

use narrows_core::PolicyValue;

use super::difference::Log;
use super::old::{
    Action, Backend, Edits, Group, Hosts, Match, PathKind, PathTest, Remains, RemainsKind, Route,
};
use super::value::{Table, list, one, text};
use crate::source::Node;
use annotations::Canary;
use paths::Location;

/// An Ingress with the number of its file.
pub(super) struct Found<'n> {
    pub(super) file: usize,
    pub(super) resource: &'n Node,
}

/// Reads all of them at once: a canary is nothing without its main Ingress.
pub(super) fn read(all: &[Found<'_>], has_key: bool, logs: &mut [Log]) -> Vec<Group> {
    let mut mains: Vec<Location> = Vec::new();
    let mut canaries: Vec<(Location, Canary)> = Vec::new();
    for found in all {
        let Some(log) = logs.get_mut(found.file) else { continue };
        let locations = paths::read(found.resource, found.file, log);
        match annotations::read(found.resource, has_key, log) {
            Some(canary) => canaries.extend(locations.into_iter().map(|at| (at, canary.clone()))),
            None => mains.extend(locations),
        }
    }
    let mut hosts: Vec<Option<String>> = Vec::new();
    for (location, _) in &canaries {
        if !hosts.contains(&location.host) {
            hosts.push(location.host.clone());
        }
    }
    let is_alone = |main: &&Location| !hosts.is_empty() && !hosts.contains(&main.host);
    for main in mains.iter().filter(is_alone) {
        let Some(log) = logs.get_mut(main.file) else { continue };
        log.stays(
            &main.at,
            "no canary has this host, so its path is in none of the routes that --routes writes",
            "keep its Ingress, or write a route for it by hand",
        );
    }
    let mut taken = Vec::new();
    hosts.into_iter().map(|host| group(host, &mains, &canaries, &mut taken, logs)).collect()
}

/// The namespace and the name of a resource.
#[derive(Clone, PartialEq)]
struct Called {
    namespace: Option<String>,
    name: String,
}

/// The splits of one host, and a route with a name that none of the routes before it has: an Ingress may have
/// several hosts.
fn group(
    host: Option<String>,
    mains: &[Location],
    canaries: &[(Location, Canary)],
    taken: &mut Vec<Called>,
    logs: &mut [Log],
) -> Group {
    let mains: Vec<&Location> = mains.iter().filter(|main| main.host == host).collect();
    let mut own: Vec<&(Location, Canary)> =
        canaries.iter().filter(|(canary, _)| canary.host == host).collect();
    // The longest path is tried first, and an exact one before all.
    own.sort_by_key(|(canary, _)| std::cmp::Reverse(canary.path.rank()));
    let file = own.first().map_or(0, |(canary, _)| canary.file);
    let name = own.first().map_or_else(|| "ingress".to_owned(), |(canary, _)| canary.ingress.clone());
    let called = free(&name, own.first().and_then(|(canary, _)| canary.namespace.clone()), taken);
    let mut routes: Vec<Route> = Vec::new();
    let mut rest = Vec::new();
    let mut done: Vec<&PathTest> = Vec::new();
    for (canary, how) in &own {
        let Some(log) = logs.get_mut(canary.file) else { continue };
        if done.contains(&&canary.path.test) {
            log.differs(
                &canary.at,
                "a second canary for this path is not converted: ingress-nginx sends it nothing",
                "add a backend to the split if it should get some",
            );
            continue;
        }
        done.push(&canary.path.test);
        let Some(main) = mains.iter().find(|main| main.path.test == canary.path.test) else {
            log.refuse(
                &canary.at,
                "no Ingress that is not a canary has this host and path",
                "name its file too: a canary alone serves nothing",
            );
            continue;
        };
        rest.push(rule(canary, true, &called, log));
        routes.push(route(main, canary, how, &mains, &own));
    }
    for main in mains {
        let Some(log) = logs.get_mut(main.file) else { continue };
        rest.push(rule(main, false, &called, log));
    }
    Group {
        file,
        remains: Some(remains(called, host.as_deref(), rest)),
        name,
        hosts: host.map_or(Hosts::Any, |host| Hosts::Names(vec![host])),
        routes,
    }
}

/// The split of one path.
fn route(
    main: &Location,
    canary: &Location,
    how: &Canary,
    mains: &[&Location],
    canaries: &[&(Location, Canary)],
) -> Route {
    let backend = |to: &str, weight| Backend {
        to: to.to_owned(),
        weight,
        request: Edits::default(),
        response: Edits::default(),
    };
    let weight = how.weight.min(how.total);
    let backends = vec![backend(&main.service, how.total - weight), backend(&canary.service, weight)];
    let mut route = Route::new(canary.name.clone(), canary.at.clone(), Action::Forward(backends));
    route.matches = vec![Match { path: Some(canary.path.test.clone()), ..Match::default() }];
    route.stable = Some(0);
    route.rests = true;
    // Longer paths of the main Ingress have no canary, unless they have one of their own, which comes first.
    for longer in mains.iter().filter(|main| main.path.rank() > canary.path.rank()) {
        let is_canary = canaries.iter().any(|(one, _)| one.path.test == longer.path.test);
        if !is_canary && canary.path.has(&longer.path) {
            route.exclude.push(Match { path: Some(longer.path.test.clone()), ..Match::default() });
        }
    }
    route.exclude.extend(how.exclude());
    route.include = how.include().into_iter().map(|one| (one, 1)).collect();
    route
}

/// The first free name of a route, as others before it may be for other hosts of the same Ingress.
fn free(wanted: &str, namespace: Option<String>, taken: &mut Vec<Called>) -> Called {
    let mut called = Called { namespace, name: wanted.to_owned() };
    let mut number = 2;
    while taken.contains(&called) {
        called.name = format!("{wanted}-{number}");
        number += 1;
    }
    taken.push(called.clone());
    called
}

/// A rule of the `HTTPRoute` that serves the same: with a value of the route header for a canary.
fn rule(location: &Location, is_canary: bool, route: &Called, log: &mut Log) -> PolicyValue {
    let path = &location.path.test;
    let kind = match path.how {
        PathKind::Exact => "Exact",
        _ => "PathPrefix",
    };
    let mut found = Table::default()
        .with("path", Table::default().with("type", text(kind)).with("value", text(&path.text)).into());
    if is_canary {
        let value = text(&location.service);
        let header = Table::default().with("name", text("x-narrows-route")).with("value", value);
        found = found.with("headers", list([header.into()]));
    }
    let [own, routes] =
        [&location.namespace, &route.namespace].map(|one| one.as_deref().unwrap_or("default"));
    if own != routes {
        log.stays(
            &location.at,
            format!("its service is in the namespace {own}, and the HTTPRoute of this host in {routes}"),
            format!("write a ReferenceGrant in {own}, so that the route may lead there"),
        );
    }
    let backend = Table::default()
        .with("name", text(&location.service))
        .maybe("namespace", (own != routes).then(|| text(own)))
        .maybe("port", location.port.clone());
    Table::default().with("matches", list([found.into()])).with("backendRefs", list([backend.into()])).into()
}

fn remains(called: Called, host: Option<&str>, rest: Vec<PolicyValue>) -> Remains {
    let spec = Table::default()
        .with("parentRefs", list([one("name", text("gateway"))]))
        .maybe("hostnames", host.map(|host| list([text(host)])));
    let metadata =
        Table::default().with("name", text(called.name)).maybe("namespace", called.namespace.map(text));
    let resource = Table::default()
        .with("apiVersion", text("gateway.networking.k8s.io/v1"))
        .with("kind", text("HTTPRoute"))
        .with("metadata", metadata.into())
        .with("spec", spec.into());
    Remains { kind: RemainsKind::HttpRoute, resource: resource.into(), routes: Vec::new(), rest }
}
