//! From the configuration of another router to a policy: what it is, what differs, and cases that hold what
//! it did.
//!
//! Each language has a reader of its own. All of them say the same kind of thing (`old`), from which the
//! policy is made. What a reader does not know it refuses, with the place and what to write instead.

pub mod attach;
mod cases;
mod destinations;
pub mod difference;
mod edits;
mod envoy;
mod fields;
mod frontend_gray;
mod general;
mod http_route;
mod ingress;
mod language;
mod old;
mod policy;
mod routes;
mod sample;
#[cfg(test)]
mod tests;
mod traffic_tag;
mod value;
mod virtual_service;

use narrows_core::PolicyValue;

use crate::documents::{self, Kind};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::{Node, SourceFile};
use attach::Attach;
use difference::{Difference, Log};
use general::{answers, parameters, redirects, rewrites};
use language::Language;
use old::{Group, Old, Remains};

/// What a conversion comes to.
pub struct Migration {
    /// What was said, in the order of the files.
    pub differences: Vec<Difference>,
    /// The result, unless something was refused.
    pub made: Option<Made>,
}

/// What a conversion makes.
pub struct Made {
    /// The filter that the policy is for.
    pub filter: Filter,
    /// The policy.
    pub policy: PolicyValue,
    /// What is left of the old configuration: the routes of the destinations. None for a plugin.
    pub routes: Vec<PolicyValue>,
    /// Whether the last route of each is for what no rule takes.
    pub has_rest: bool,
    /// Whether they replace the old configuration under its name.
    pub replaces: bool,
    /// The proxies that decided, and how the policy is attached to them.
    pub attach: Vec<Attach>,
    /// Cases that hold what the old configuration did.
    pub cases: Vec<PolicyValue>,
    /// What no case was found for.
    pub without_case: Vec<String>,
}

/// A file that cannot be read, by its number; or files without anything to convert.
pub enum Unread {
    /// The number of the file, and why.
    Broken(usize, Box<Finding>),
    /// None of the files has anything that is converted.
    Nothing,
}

/// Converts files together. `key` is how users are told apart, where the old configuration does not say it.
pub fn migrate(sources: &[SourceFile], key: &[PolicyValue]) -> Result<Migration, Unread> {
    let mut read = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        read.push(documents::read(source).map_err(|finding| Unread::Broken(number, Box::new(finding)))?);
    }
    let mut logs: Vec<Log> = (0..sources.len()).map(Log::new).collect();
    let mut old = old_of(&read, !key.is_empty(), &mut logs);
    if old.groups.is_empty() && logs.iter().all(|log| log.said.is_empty()) {
        return Err(Unread::Nothing);
    }
    arrange(&mut old, &mut logs);
    for group in &old.groups {
        let Some(log) = logs.get_mut(group.file) else { continue };
        for route in &group.routes {
            for backend in route.split().unwrap_or_default() {
                edits::apart(&route.request, &backend.request, &route.at, log);
                edits::apart(&route.response, &backend.response, &route.at, log);
            }
        }
    }
    for route in old.groups.iter_mut().flat_map(|group| &mut group.routes) {
        if route.split().is_some() && route.key.is_empty() {
            route.key = key.to_vec();
        }
    }
    let made = policy::make(&old, &mut logs);
    judge(&made, &mut logs);
    let differences: Vec<Difference> = logs.into_iter().flat_map(|log| log.said).collect();
    let is_refused = differences.iter().any(|one| one.kind == difference::Kind::Refused);
    let made = (!is_refused).then(|| {
        let cases = cases::make(&old);
        Made {
            routes: routes::documents(&old, &made.policy),
            has_rest: old.groups.iter().any(|group| group.remains.as_ref().is_some_and(Remains::has_rest)),
            replaces: old.groups.iter().any(|group| group.remains.as_ref().is_some_and(Remains::replaces)),
            filter: made.filter,
            policy: made.policy,
            attach: old.attach.clone(),
            cases: cases.cases,
            without_case: cases.missing,
        }
    });
    Ok(Migration { differences, made })
}

/// Everything that the files say.
fn old_of(read: &[Vec<Node>], has_key: bool, logs: &mut [Log]) -> Old {
    let mut old = Old::default();
    let mut ingresses = Vec::new();
    for (file, documents) in read.iter().enumerate() {
        let Some(log) = logs.get_mut(file) else { continue };
        for resource in documents.iter().flat_map(documents::resources) {
            let language = language(resource);
            for place in language.iter().flat_map(|language| attach::of(*language, resource)) {
                if !old.attach.contains(&place) {
                    old.attach.push(place);
                }
            }
            match language {
                Some(Language::VirtualService) => old.groups.push(virtual_service::read(resource, file, log)),
                Some(Language::HttpRoute) => old.groups.push(http_route::read(resource, file, log)),
                Some(Language::Ingress) => ingresses.push(ingress::Found { file, resource }),
                Some(Language::Higress) => higress(resource, file, &mut old, log),
                Some(Language::Envoy) => {
                    let hosts = envoy::find(resource, log);
                    old.groups.extend(hosts.iter().map(|host| envoy::read(host, file, log)));
                }
                None => {}
            }
        }
    }
    old.groups.extend(ingress::read(&ingresses, has_key, logs));
    old
}

/// The language that a document is in, if it is one that is converted.
fn language(resource: &Node) -> Option<Language> {
    let version = resource.text_at("apiVersion").unwrap_or_default();
    let group = version.split('/').next().unwrap_or_default();
    match resource.text_at("kind") {
        Some("HTTPRoute") if group == "gateway.networking.k8s.io" => return Some(Language::HttpRoute),
        Some("Ingress") if ["networking.k8s.io", "extensions"].contains(&group) => {
            return Some(Language::Ingress);
        }
        _ if Kind::of(resource) == Kind::VirtualService => return Some(Language::VirtualService),
        _ => {}
    }
    if plugin(resource).is_some() {
        return Some(Language::Higress);
    }
    let is_envoys = resource.text_at("kind").is_none() && envoy::has_hosts(resource);
    is_envoys.then_some(Language::Envoy)
}

/// The configuration of a plugin of Higress: bare, or in a resource.
fn plugin(resource: &Node) -> Option<&Node> {
    let inner = ["spec.defaultConfig", "spec.pluginConfig"].iter().find_map(|path| resource.get(path));
    let config = if resource.get("kind").is_some() { inner? } else { resource };
    (traffic_tag::is_one(config) || frontend_gray::is_one(config)).then_some(config)
}

fn higress(resource: &Node, file: usize, old: &mut Old, log: &mut Log) {
    let Some(config) = plugin(resource) else { return };
    if let Some((key, _)) = resource.field("spec.matchRules") {
        log.refuse(
            &key.at,
            "\"matchRules\" are not converted",
            "convert each configuration by itself, and write its hosts",
        );
    }
    if old.route_header.is_some() || old.is_mesh {
        log.refuse(&config.head(), "there are several plugins", "convert each in a run of its own");
    }
    old.is_mesh = true;
    if traffic_tag::is_one(config) {
        let (group, header) = traffic_tag::read(config, file, log);
        old.route_header = Some(header);
        old.groups.push(group);
    } else {
        old.groups.push(frontend_gray::read(config, file, log));
    }
}

/// Brings the groups in the order in which Envoy chooses among hosts, and gives each route a name of its own.
fn arrange(old: &mut Old, logs: &mut [Log]) {
    old.groups.sort_by_key(|group| std::cmp::Reverse(group.hosts.rank()));
    let mut said: Vec<(usize, std::ops::Range<usize>, String, &str)> = Vec::new();
    let at = |group: &Group| group.routes.first().map_or(0..0, |route| route.at.clone());
    let called = |group: &Group| routes::called(&group.remains.as_ref()?.resource);
    for (number, later) in old.groups.iter().enumerate() {
        for earlier in old.groups.iter().take(number) {
            if let Some(name) = called(later).filter(|name| Some(name) == called(earlier).as_ref()) {
                let what = format!("{name} is there twice, and a cluster keeps only one of that name");
                said.push((later.file, at(later), what, "leave one out, or give it another name"));
            }
            if later.hosts.is_within(&earlier.hosts) {
                let what = format!("some hosts of {} are between those of {}", later.name, earlier.name);
                said.push((later.file, at(later), what, "convert them in runs of their own"));
            }
            if later.hosts.shares(&earlier.hosts) {
                let what = format!("{} and {} are for the same host", earlier.name, later.name);
                said.push((
                    later.file,
                    at(later),
                    what,
                    "convert them in runs of their own: their order is that of creation",
                ));
            }
        }
    }
    if old.is_mesh && old.groups.len() > 1 {
        let group = old.groups.first();
        said.extend(group.map(|group| {
            (
                group.file,
                at(group),
                "a plugin beside other configurations".to_owned(),
                "convert it in a run of its own",
            )
        }));
    }
    for (file, at, what, help) in said {
        if let Some(log) = logs.get_mut(file) {
            log.refuse(&at, what, help);
        }
    }
    let mut names: Vec<String> = Vec::new();
    for route in old.groups.iter_mut().flat_map(|group| &mut group.routes) {
        let mut name = route.name.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{}-{number}", route.name);
            number += 1;
        }
        names.push(name.clone());
        route.name = name;
    }
}

/// Compiles the policy: whatever the filter would refuse is refused here, at the place that it comes from.
fn judge(made: &policy::Made, logs: &mut [Log]) {
    let Err(invalid) = made.filter.compile(&made.policy) else { return };
    for fault in invalid.faults() {
        let origin =
            made.origins.iter().find(|(place, _, _)| fault.place.to_string().contains(place.as_str()));
        let (file, at) = origin.map_or((0, 0..0), |(_, file, at)| (*file, at.clone()));
        if let Some(log) = logs.get_mut(file) {
            log.refuse(&at, format!("no policy can say this: {}", fault.message), fault.help.clone());
        }
    }
}
