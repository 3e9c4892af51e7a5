//! Which proxies a resource attaches to, in which direction and on which ports.

use narrows_core::Tree;

use super::{Manifest, fault, warning};
use crate::code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::placement::site::ROOT;
use crate::source::{Node, Value};

/// Kinds of target, with their API group.
pub(crate) const TARGETS: [(&str, &str); 4] = [
    ("Gateway", "gateway.networking.k8s.io"),
    ("GatewayClass", "gateway.networking.k8s.io"),
    ("Service", ""),
    ("ServiceEntry", "networking.istio.io"),
];
/// Targets of one resource.
const MAX_TARGETS: usize = 16;
/// The values of the label `istio` of Istio's own gateways.
const GATEWAYS: [&str; 2] = ["ingressgateway", "egressgateway"];
/// The ports that these listen on for HTTP.
const LISTENING: [i64; 4] = [8080, 8443, 15443, 31400];

pub(super) fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let resource = manifest.resource;
    let refs = resource.get("spec.targetRefs");
    if let (Some(_), Some((selector, _))) = (refs, resource.field("spec.selector")) {
        findings.push(fault(
            code::ATTACHMENT,
            &selector.at,
            "spec.selector",
            "next to \"targetRefs\" the selector is ignored",
            "keep the selector for sidecars and classic gateways, \"targetRefs\" for Gateway API and waypoints",
        ));
    }
    let targets = refs.map(Node::elements).unwrap_or_default();
    if let Some(node) = targets.get(MAX_TARGETS) {
        let message = format!("{} targets, more than {MAX_TARGETS}", targets.len());
        let help = "write several resources";
        findings.push(fault(code::ATTACHMENT, &node.head(), "spec.targetRefs", &message, help));
    }
    for (i, reference) in targets.iter().enumerate() {
        target(manifest, reference, &format!("spec.targetRefs[{i}]"), findings);
    }
    let waypoint = targets.iter().any(|target| target.text_at("kind") != Some("Gateway"));
    let gateway = gateway(resource, findings);
    let namespace = resource.get("metadata.namespace").and_then(|node| Some((node.text()?, node)));
    if let (Some(gateway), Some((namespace, node))) = (gateway, namespace.filter(|(name, _)| *name != ROOT)) {
        findings.push(warning(
            code::ATTACHMENT,
            &node.at,
            "metadata.namespace",
            &format!("the stock {gateway} is in {ROOT}, and a resource reaches its own namespace alone"),
            &format!("write {ROOT}, unless a gateway of yours with this label is in {namespace}"),
        ));
    }
    for (i, clause) in resource.get("spec.match").map(Node::elements).unwrap_or_default().iter().enumerate() {
        let place = format!("spec.match[{i}]");
        mode(clause, waypoint, gateway, &place, findings);
        incoming(manifest, clause, waypoint || gateway.is_some(), &place, findings);
        ports(clause, waypoint, gateway, &place, findings);
    }
}

/// The stock gateway that is chosen, or was meant to be.
fn gateway(resource: &Node, findings: &mut Vec<Finding>) -> Option<&'static str> {
    let place = "spec.selector.matchLabels.istio";
    let node = resource.get(place)?;
    let written = node.text()?;
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>();
    let same = |known: &&&str| {
        let (known, written) = (letters(known), letters(&written.to_ascii_lowercase()));
        known == written || known.strip_suffix("gateway") == Some(&written) || format!("{known}s") == written
    };
    let gateway = GATEWAYS.iter().find(same).copied()?;
    if gateway != written {
        let message = format!("no stock gateway has the label istio: {written}");
        let help = format!("write {gateway:?}");
        findings.push(warning(code::ATTACHMENT, &node.at, place, &message, &help));
    }
    Some(gateway)
}

fn target(manifest: &Manifest<'_>, target: &Node, place: &str, findings: &mut Vec<Finding>) {
    let Some((kind, node)) = target.get("kind").and_then(|node| Some((node.text()?, node))) else { return };
    let mut refuse = |node: &Node, message: String, help: &str| {
        findings.push(fault(code::ATTACHMENT, &node.at, place, &message, help));
    };
    let Some((_, group)) = TARGETS.iter().find(|(known, _)| *known == kind) else {
        refuse(
            node,
            format!("nothing attaches to a {kind}"),
            "write Gateway, GatewayClass, Service or ServiceEntry",
        );
        return;
    };
    if let Some(written) = target.get("group")
        && !(written.text() == Some(*group) || (group.is_empty() && written.text() == Some("core")))
    {
        refuse(written, format!("a {kind} is not of that group"), &format!("write {group:?}"));
    }
    if kind == "GatewayClass" {
        if let Some(name) = target.get("name").filter(|name| name.text() != Some("istio-waypoint")) {
            refuse(
                name,
                "of the classes only istio-waypoint is a target".to_owned(),
                "write \"istio-waypoint\"",
            );
        }
        let namespace = manifest.resource.text_at("metadata.namespace");
        if namespace.is_some_and(|namespace| namespace != ROOT) {
            let help = format!("move the resource to {ROOT}");
            refuse(node, "a class is a target from the root namespace alone".to_owned(), &help);
        }
    }
    if let Some(namespace) = target.get("namespace").filter(|namespace| namespace.text() != Some("")) {
        refuse(namespace, "a target is in the resource's own namespace".to_owned(), "leave it out");
    }
}

fn mode(clause: &Node, waypoint: bool, gateway: Option<&str>, place: &str, findings: &mut Vec<Finding>) {
    let Some((mode, node)) = clause.get("mode").and_then(|node| Some((node.text()?, node))) else { return };
    let place = format!("{place}.mode");
    if let ("SERVER", Some(gateway)) = (mode, gateway) {
        let message = format!("all traffic of the {gateway} is CLIENT");
        findings.push(fault(code::NEVER_RUNS, &node.at, &place, &message, "write CLIENT, or leave it out"));
    }
    if mode == "CLIENT" && waypoint {
        let message = "all traffic of a waypoint is SERVER";
        findings.push(fault(code::NEVER_RUNS, &node.at, &place, message, "write SERVER, or leave it out"));
    }
}

/// What comes in to a workload is none of egress-policy's business.
fn incoming(manifest: &Manifest<'_>, clause: &Node, goes_on: bool, place: &str, findings: &mut Vec<Finding>) {
    let server = clause.get("mode").filter(|node| node.text() == Some("SERVER") && !goes_on);
    if let Some(node) = server.filter(|_| manifest.filter == Some(Filter::EgressPolicy)) {
        let message = "beside a workload egress-policy judges what goes out, and nothing that comes in";
        let help = "write CLIENT, or leave \"match\" out";
        findings.push(warning(code::NEVER_RUNS, &node.at, &format!("{place}.mode"), message, help));
    }
}

fn ports(clause: &Node, waypoint: bool, gateway: Option<&str>, place: &str, findings: &mut Vec<Finding>) {
    let Some((key, ports)) = clause.field("ports") else { return };
    if waypoint {
        findings.push(fault(
            code::NEVER_RUNS,
            &key.at,
            &format!("{place}.ports"),
            "on a waypoint no port ever matches",
            "leave it out",
        ));
    }
    for (i, port) in ports.elements().iter().enumerate() {
        let Some(node) = port.get("number") else { continue };
        let (Some(gateway), Value::Scalar(Tree::Integer(number))) = (gateway, &node.value) else { continue };
        let place = format!("{place}.ports[{i}].number");
        let (message, help) = match number {
            80 | 443 => (
                format!("the {gateway} listens on the port behind its Service, not on this one"),
                format!(
                    "write {}, unless your gateway's targetPort differs from the stock one",
                    if *number == 80 { 8080 } else { 8443 }
                ),
            ),
            number if !LISTENING.contains(number) => (
                format!("the stock {gateway} does not listen on {number}"),
                "write 8080 or 8443, unless a Gateway of yours opens this port".to_owned(),
            ),
            _ => continue,
        };
        findings.push(warning(code::NEVER_RUNS, &node.at, &place, &message, &help));
    }
}
