//! The hosts, paths and services of an Ingress.

use std::ops::Range;

use narrows_core::PolicyValue;

use crate::migrate::destinations::plain;
use crate::migrate::difference::Log;
use crate::migrate::fields::Fields;
use crate::migrate::general;
use crate::migrate::old::{PathKind, PathTest};
use crate::source::Node;

/// Where an Ingress sends the requests of one path.
#[derive(Clone)]
pub(super) struct Location {
    pub(super) file: usize,
    pub(super) at: Range<usize>,
    /// The name of the Ingress.
    pub(super) ingress: String,
    /// Its namespace, if it says one.
    pub(super) namespace: Option<String>,
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
    let namespace = resource.text_at("metadata.namespace").map(str::to_owned);
    let mut all = Vec::new();
    let Some(spec) = general::spec(resource, "an Ingress", log) else { return all };
    let mut spec = Fields::of(spec, log);
    spec.ignore(&["ingressClassName"]);
    for (field, help) in [
        ("tls", "give the certificates to the listener of the gateway"),
        ("defaultBackend", "write a route for it by hand"),
    ] {
        if let Some(node) = spec.take(field) {
            log.stays(&node.at, format!("\"{field}\" of an Ingress is not converted"), help);
        }
    }
    for rule in spec.list("rules", log) {
        let mut rule = Fields::of(rule, log);
        let host = rule.text("host", log).filter(|host| !host.is_empty()).map(str::to_owned);
        if let Some(http) = rule.take("http") {
            let mut http = Fields::of(http, log);
            for entry in http.list("paths", log) {
                let name = plain(&format!("{ingress}-{}", all.len() + 1));
                let Some((path, service, port)) = entry_of(entry, log) else { continue };
                let (at, ingress, host) = (entry.head(), ingress.clone(), host.clone());
                let namespace = namespace.clone();
                all.push(Location { file, at, ingress, namespace, name, host, path, service, port });
            }
            http.rest("\"http\"", log);
        }
        rule.rest("a rule", log);
    }
    spec.rest("an Ingress", log);
    all
}

/// A path with its service and port.
fn entry_of(entry: &Node, log: &mut Log) -> Option<(Path, String, Option<PolicyValue>)> {
    let mut fields = Fields::of(entry, log);
    let path = path(&mut fields, log);
    let (mut name, mut port) = (None, None);
    if let Some(backend) = fields.take("backend") {
        let mut backend = Fields::of(backend, log);
        name = backend.text("serviceName", log);
        port = backend.take("servicePort").map(Node::tree);
        // Anything else is no Service.
        if backend.take("resource").is_some() {
            name = None;
        }
        if let Some(service) = backend.take("service") {
            let mut service = Fields::of(service, log);
            name = service.text("name", log).or(name);
            if let Some(written) = service.take("port") {
                let mut written = Fields::of(written, log);
                port = written.port("number", log).and(written.node().get("number")).map(Node::tree);
                if let Some(name) = written.take("name") {
                    log.stays(
                        &name.at,
                        "a port by its name is not converted: an HTTPRoute takes a number",
                        "write its \"number\" here, or in the routes that --routes writes",
                    );
                }
                written.rest("a port", log);
            }
            service.rest("a service", log);
        }
        backend.rest("a backend", log);
    }
    fields.rest("a path", log);
    let Some(name) = name else {
        log.refuse(&entry.at, "a path whose backend is no Service is not converted", "name a Service");
        return None;
    };
    Some((path?, name.to_owned(), port))
}

fn path(fields: &mut Fields<'_>, log: &mut Log) -> Option<Path> {
    let entry = fields.node();
    let text = fields.text("path", log).unwrap_or("/").to_owned();
    let how = match fields.text("pathType", log).unwrap_or("ImplementationSpecific") {
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
