//! NRW614: a port of a Service whose protocol Istio has to guess.

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW614",
        title: "port without a protocol",
        text: "On a port called http-…, http2-… or grpc-…, or with an appProtocol, each service has a virtual host
of its own. Any other port has one virtual host for every authority: a filter that rewrites
\"authority\" changes the host that the application sees, and nothing else. \"to\" and a
VirtualService work on both.",
    },
    checks: &[Check::Resource(check)],
};

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

fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.kind != Kind::Service {
        return;
    }
    for (i, port) in manifest.list("spec.ports").iter().enumerate() {
        let protocol = port.text_at("protocol").unwrap_or("TCP");
        if protocol != "TCP" || port.get("appProtocol").is_some() {
            continue;
        }
        let name = port.text_at("name").unwrap_or_default();
        let declares = |protocol: &&str| {
            name.strip_prefix(*protocol).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if !PROTOCOLS.iter().any(declares) {
            findings.push(Finding::warning(
                &RULE.code,
                &port.field("name").map_or_else(|| port.head(), |(_, value)| value.at.clone()),
                &format!("spec.ports[{i}].name"),
                "the port does not declare its protocol: Istio routes it by address, and \"authority\" has no effect",
                "call it http-… or grpc-…, or add \"appProtocol\"",
            ));
        }
    }
}
