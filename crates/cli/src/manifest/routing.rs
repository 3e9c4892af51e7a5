//! Routes that lead nowhere, and ports whose protocol Istio has to guess.

use super::{fault, warning};
use crate::code;
use crate::finding::Finding;
use crate::source::Node;

/// What an HTTP route may do; it does one of these.
const DEEDS: [&str; 4] = ["route", "redirect", "directResponse", "delegate"];
/// The protocols that the name of a port may begin with.
const PROTOCOLS: [&str; 12] = [
    "http",
    "http2",
    "http_proxy",
    "https",
    "grpc",
    "grpc-web",
    "tcp",
    "tls",
    "udp",
    "mongo",
    "mysql",
    "redis",
];

pub(super) fn virtual_service(resource: &Node, findings: &mut Vec<Finding>) {
    for (i, route) in resource.get("spec.http").map(Node::elements).unwrap_or_default().iter().enumerate() {
        if !DEEDS.iter().any(|deed| route.get(deed).is_some()) {
            let place = format!("spec.http[{i}]");
            let help = "add \"route\" with a \"destination\"";
            findings.push(fault(code::REQUIRED, &route.head(), &place, "the route leads nowhere", help));
        }
    }
}

pub(super) fn service(resource: &Node, findings: &mut Vec<Finding>) {
    for (i, port) in resource.get("spec.ports").map(Node::elements).unwrap_or_default().iter().enumerate() {
        let protocol = port.text_at("protocol").unwrap_or("TCP");
        if protocol != "TCP" || port.get("appProtocol").is_some() {
            continue;
        }
        let name = port.text_at("name").unwrap_or_default();
        let declared = |protocol: &str| {
            name.strip_prefix(protocol).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if !PROTOCOLS.iter().any(|protocol| declared(protocol)) {
            findings.push(warning(
                code::UNDECLARED,
                &port.field("name").map_or_else(|| port.head(), |(_, value)| value.at.clone()),
                &format!("spec.ports[{i}].name"),
                "the port does not say its protocol: Istio routes it by address, and no \"authority\" moves it",
                "call it http-… or grpc-…, or add \"appProtocol\"",
            ));
        }
    }
}
