//! NRW614: a port of a Service whose protocol Istio has to guess.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::deed;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW614",
        title: "port without a protocol",
        text: "On a port called http-…, http2-… or grpc-…, or with an appProtocol, each service has a virtual host
of its own. Any other port has one virtual host for every authority: a filter that rewrites
\"authority\" changes the host that the application sees, and nothing else. \"to\" and a
VirtualService work on both.",
    },
    checks: &[Check::Run(check)],
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

/// Only the Services that a policy of the run moves requests between need it.
fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut moved = BTreeSet::new();
    for (_, found) in &run.policies {
        for deed in deed::rewriting(&found.policy) {
            let Some(host) = deed.host.filter(|host| host.moves) else { continue };
            let hosts = host.within.get("hosts").map(Node::elements).unwrap_or_default().iter();
            let names = hosts.filter_map(Node::text).chain(host.within.text_at("service"));
            moved.extend(names.chain([host.authority]).map(first_label));
        }
    }
    for (file, service) in run.of(Kind::Service) {
        if service.text_at("metadata.name").is_some_and(|name| moved.contains(name)) {
            ports(*file, service, findings);
        }
    }
}

/// The name of the Service that a host may be of.
fn first_label(host: &str) -> &str {
    host.split(['.', ':']).next().unwrap_or_default()
}

fn ports(file: usize, service: &Node, findings: &mut Vec<(usize, Finding)>) {
    for (i, port) in service.get("spec.ports").map(Node::elements).unwrap_or_default().iter().enumerate() {
        let protocol = port.text_at("protocol").unwrap_or("TCP");
        if protocol != "TCP" || port.get("appProtocol").is_some() {
            continue;
        }
        let name = port.text_at("name").unwrap_or_default();
        let declares = |protocol: &&str| {
            name.strip_prefix(*protocol).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if !PROTOCOLS.iter().any(declares) {
            let finding = Finding::warning(
                &RULE.code,
                &port.field("name").map_or_else(|| port.head(), |(_, value)| value.at.clone()),
                &format!("spec.ports[{i}].name"),
                "the port does not declare its protocol: Istio routes it by address, and \"authority\" has no effect",
                "call it http-… or grpc-…, or add \"appProtocol\"",
            );
            findings.push((file, finding));
        }
    }
}
