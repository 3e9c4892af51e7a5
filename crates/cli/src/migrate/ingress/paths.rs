//! The hosts, paths and services of an Ingress.

use std::ops::Range;

use narrows_core::PolicyValue;

use crate::migrate::destinations::plain;
use crate::migrate::difference::Log;
use crate::migrate::old::{PathKind, PathTest};
use crate::source::Node;

/// Where an Ingress sends the requests of one path.
#[derive(Clone)]
pub(super) struct Location {
    pub(super) file: usize,
    pub(super) at: Range<usize>,
    /// The name of the Ingress.
    pub(super) ingress: String,
    /// A name for a split of it.
    pub(super) name: String,
    /// The host; none is every host.
    pub(super) host: Option<String>,
    pub(super) path: Path,
    pub(super) service: String,
    pub(super) port: Option<PolicyValue>,
}

/// A path of nginx.
#[derive(Clone)]
pub(super) struct Path {
    pub(super) test: PathTest,
}

impl Path {
    /// In which order nginx asks: an exact path, then the longest.
    pub(super) fn rank(&self) -> (bool, usize) {
        (self.test.how == PathKind::Exact, self.test.text.len())
    }

    /// Whether another path is below this one.
    pub(super) fn has(&self, other: &Self) -> bool {
        let rest = other.test.text.strip_prefix(self.test.text.trim_end_matches('/'));
        match self.test.how {
            PathKind::Exact => false,
            PathKind::Prefix => other.test.text.starts_with(&self.test.text),
            _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// Reads the rules.
pub(super) fn read(resource: &Node, file: usize, log: &mut Log) -> Vec<Location> {
    let ingress = resource.text_at("metadata.name").unwrap_or("ingress").to_owned();
    let mut all = Vec::new();
    for rule in resource.get("spec.rules").map(Node::elements).unwrap_or_default() {
        let host = rule.text_at("host").filter(|host| !host.is_empty()).map(str::to_owned);
        for entry in rule.get("http.paths").map(Node::elements).unwrap_or_default() {
            let Some(path) = path(entry, log) else { continue };
            let service = entry.get("backend.service");
            let old = entry.text_at("backend.serviceName");
            let Some(name) = service.and_then(|service| service.text_at("name")).or(old) else {
                log.refuse(
                    &entry.at,
                    "a path whose backend is no Service is not converted",
                    "name a Service",
                );
                continue;
            };
            let port = service.and_then(|service| service.get("port.number"));
            all.push(Location {
                file,
                at: entry.head(),
                ingress: ingress.clone(),
                name: plain(&format!("{ingress}-{}", all.len() + 1)),
                host: host.clone(),
                path,
                service: name.to_owned(),
                port: port.or_else(|| entry.get("backend.servicePort")).map(Node::tree),
            });
        }
    }
    all
}

fn path(entry: &Node, log: &mut Log) -> Option<Path> {
    let text = entry.text_at("path").unwrap_or("/").to_owned();
    let how = match entry.text_at("pathType").unwrap_or("ImplementationSpecific") {
        "Exact" => PathKind::Exact,
        "Prefix" => PathKind::Segments,
        "ImplementationSpecific" => PathKind::Prefix,
        other => {
            log.refuse(
                &entry.at,
                format!("the pathType {other:?} is not one of Kubernetes"),
                "write \"Prefix\"",
            );
            return None;
        }
    };
    if how == PathKind::Prefix && text != "/" {
        log.differs(
            &entry.head(),
            format!(
                "ingress-nginx compares the characters of {text}, and a route of HTTPRoute whole segments"
            ),
            "nothing, unless clients ask for paths that only begin so; else write another route for them",
        );
    }
    let text = match how {
        PathKind::Segments if text.len() > 1 => text.trim_end_matches('/').to_owned(),
        _ => text,
    };
    Some(Path { test: PathTest { how, text, ignore_case: false } })
}
