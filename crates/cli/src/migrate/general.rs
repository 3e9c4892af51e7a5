//! What differs wherever a certain thing is converted.

use std::ops::Range;

use narrows_core::PolicyValue;

use super::destinations::plain;
use super::difference::Log;
use super::fields::Fields;
use super::old::Redirect;
use crate::source::{Node, Value};

/// The `spec` of a resource. What else is at its top is refused, and a resource without one is.
pub(super) fn spec<'n>(resource: &'n Node, what: &str, log: &mut Log) -> Option<&'n Node> {
    let mut fields = Fields::of(resource, log);
    fields.ignore(&["apiVersion", "kind", "metadata", "status"]);
    let spec = fields.take("spec");
    fields.rest(what, log);
    if spec.is_none() {
        log.refuse(&resource.head(), format!("{what} without \"spec\" says nothing"), "write its \"spec\"");
    }
    spec
}

/// The annotation in which kubectl keeps what it applied last: the old resource.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What the author of a resource wrote of its metadata. The rest is the API server's, which refuses an old version
/// of it.
pub(super) fn metadata(resource: &Node) -> Option<PolicyValue> {
    let mut kept = Vec::new();
    for (key, value) in resource.get("metadata")?.fields() {
        let is_kept = ["name", "namespace", "labels", "annotations"].contains(&key.name.as_str());
        if !is_kept || matches!(value.value, Value::Scalar(PolicyValue::Null)) {
            continue;
        }
        let mut tree = value.tree();
        if let PolicyValue::Table(fields) = &mut tree {
            fields.retain(|(name, _)| name != LAST_APPLIED);
            if fields.is_empty() {
                continue;
            }
        }
        kept.push((key.name.clone(), tree));
    }
    Some(PolicyValue::Table(kept))
}

/// The name of a route, which is that of its rule then; or another one.
pub(super) fn name(fields: &mut Fields<'_>, other: String, log: &mut Log) -> String {
    let Some(name) = fields.text("name", log) else { return other };
    if let Some(node) = fields.node().get("name") {
        log.differs(
            &node.at,
            "the name of a route is that of its rule or split, and the routes have none: Envoy's ROUTE_NAME is \
             empty",
            "nothing, unless access logs or an EnvoyFilter use the name: then write it in the routes",
        );
    }
    plain(name)
}

/// Refuses hosts whose star is not "*." before a domain: Envoy's star crosses dots, and a policy's does not.
pub(super) fn stars(hosts: &[String], at: &Range<usize>, log: &mut Log) {
    let is_other = |host: &&String| host.strip_prefix("*.").unwrap_or(host).contains('*') && *host != "*";
    if let Some(host) = hosts.iter().find(is_other) {
        log.refuse(
            at,
            format!("the star of {host:?} stands for any text, and that of a policy for a part of one label"),
            "write the hosts, or \"*.\" before a domain",
        );
    }
}

/// A condition on a query parameter.
pub(super) fn parameters(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "query parameters are percent-decoded before they are compared; Envoy compares them as they were sent",
        "write the value decoded",
    );
}

/// A redirect.
pub(super) fn redirects(redirect: &Redirect, at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "a redirect that would lead to the request itself lets it pass; Envoy answers it",
        "nothing: the client would have come back for ever",
    );
    if redirect.host.is_none() {
        log.differs(
            at,
            "the host of the location is in lower case; Envoy leaves it as the client wrote it",
            "nothing: a host has no letter case",
        );
    }
    if redirect.scheme.is_some() && redirect.port.is_none() {
        log.differs(
            at,
            "a port that the caller wrote is left out under another scheme; Envoy keeps one that is not usual",
            "write \"port\" if another port than the scheme's is meant",
        );
    }
}

/// An answer in place of the upstream.
pub(super) fn answers(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "a gRPC caller gets a gRPC status in place of the body",
        "nothing, unless gRPC callers read the body",
    );
}

/// A path that is rewritten.
pub(super) fn rewrites(at: &Range<usize>, log: &mut Log) {
    log.differs(
        at,
        "where a rewrite leaves the path as it is, no x-envoy-original-path is written; Envoy always writes one",
        "nothing, unless an application needs the header on every request",
    );
}
