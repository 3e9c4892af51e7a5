//! NRW607: a direction or port on which the filter never runs.

use narrows_core::PolicyValue;

use crate::code::Code;
use crate::documents::Kind;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::gateways;
use crate::lint::manifest::{Manifest, Plugin};
use crate::lint::rule::{Check, Rule};
use crate::source::{Node, Value};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW607",
        title: "the filter never runs there",
        text: "\"match\" chooses the direction and the port. CLIENT is the outbound side of a sidecar, and
gateways; SERVER is the inbound side of a sidecar, and waypoints. A port is that of the service on
the outbound side, that of the container on the inbound side, and on a gateway the one that it
listens on: 8080 and 8443 for the stock gateways, not 80 and 443. On a waypoint no port ever matches.",
    },
    checks: &[Check::Resource(network), Check::Resource(clauses)],
};

/// The ports that the stock gateways listen on for HTTP.
const LISTENING: [i64; 4] = [8080, 8443, 15443, 31400];

fn network(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let Some(filter) = plugin.filter else { return };
    if let Some(node) = plugin.get("type").filter(|node| node.text() == Some("NETWORK")) {
        let message = format!("{} reads requests, which a network filter does not see", filter.name());
        let help = "write \"HTTP\", or leave it out";
        findings.push(Finding::error(&RULE.code, &node.at, &plugin.place("type"), &message, help));
    }
}

fn clauses(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let stock = manifest.stock_gateway().map(|(gateway, _)| gateway);
    let site = Site {
        manifest,
        waypoint: manifest.is_for_waypoint(),
        stock,
        gateway: stock.or_else(|| manifest.is_for_known_gateway().then_some("gateway")),
    };
    for (i, clause) in manifest.list("spec.match").iter().enumerate() {
        let place = format!("spec.match[{i}]");
        findings.extend(site.mode(clause, &format!("{place}.mode")));
        findings.extend(site.incoming(plugin, clause, &format!("{place}.mode")));
        site.ports(clause, &format!("{place}.ports"), findings);
    }
}

/// The proxies that a resource attaches to, as far as it names them.
struct Site<'n> {
    manifest: &'n Manifest<'n>,
    waypoint: bool,
    /// The stock gateway.
    stock: Option<&'static str>,
    /// That one, or another gateway that the run shows.
    gateway: Option<&'static str>,
}

impl Site<'_> {
    fn mode(&self, clause: &Node, place: &str) -> Option<Finding> {
        let node = clause.get("mode")?;
        let (message, help) = match (node.text()?, self.gateway) {
            ("SERVER", Some(gateway)) => (format!("all traffic of the {gateway} is CLIENT"), "CLIENT"),
            ("CLIENT", _) if self.waypoint => ("all traffic of a waypoint is SERVER".to_owned(), "SERVER"),
            _ => return None,
        };
        let help = format!("write {help}, or leave it out");
        Some(Finding::error(&RULE.code, &node.at, place, &message, &help))
    }

    /// On a sidecar, egress-policy does not decide about incoming calls.
    fn incoming(&self, plugin: &Plugin<'_>, clause: &Node, place: &str) -> Option<Finding> {
        if plugin.filter != Some(Filter::EgressPolicy) || self.waypoint || self.gateway.is_some() {
            return None;
        }
        let node = clause.get("mode").filter(|node| node.text() == Some("SERVER"))?;
        let message = "on a sidecar egress-policy decides about outgoing calls, not about incoming ones";
        let help = "write CLIENT, or leave \"match\" out";
        Some(Finding::warning(&RULE.code, &node.at, place, message, help))
    }

    fn ports(&self, clause: &Node, place: &str, findings: &mut Vec<Finding>) {
        let Some((key, ports)) = clause.field("ports") else { return };
        if self.waypoint {
            let message = "on a waypoint no port ever matches";
            findings.push(Finding::error(&RULE.code, &key.at, place, message, "leave it out"));
        }
        for (i, port) in ports.elements().iter().enumerate() {
            let Some(node) = port.get("number") else { continue };
            let Value::Scalar(PolicyValue::Integer(number)) = &node.value else { continue };
            findings.extend(self.port(*number).map(|(message, help)| {
                Finding::warning(&RULE.code, &node.at, &format!("{place}[{i}].number"), &message, &help)
            }));
        }
    }

    /// The fault of a port of a gateway, and what to do.
    fn port(&self, number: i64) -> Option<(String, String)> {
        let (manifest, labels) = (self.manifest, self.manifest.selector());
        let service = manifest.run.of(Kind::Service).iter().find(|(_, service)| {
            service.text_at("metadata.namespace") == manifest.namespace()
                && !labels.is_empty()
                && labels.iter().all(|label| gateways::labels(service.get("spec.selector")).contains(label))
        });
        if let Some(target) =
            service.and_then(|(_, service)| target_of(service, number)).filter(|_| self.gateway.is_some())
        {
            return Some((
                format!(
                    "the gateway listens on the target port of its Service, which is {target}, not on {number}"
                ),
                format!("write {target}"),
            ));
        }
        let gateway = self.stock?;
        let is_opened = manifest.run.gateways.opens(manifest.namespace(), &labels, number);
        if let Some((_, target)) = [(80, 8080), (443, 8443)].iter().find(|(port, _)| *port == number) {
            return service.is_none().then(|| {
                (
                    format!("the {gateway} listens on the target port of its Service, not on {number}"),
                    format!(
                        "write {target}, unless the targetPort of your gateway differs from the stock one"
                    ),
                )
            });
        }
        (!is_opened && !LISTENING.contains(&number)).then(|| {
            (
                format!("the stock {gateway} does not listen on {number}"),
                "write 8080 or 8443, unless a Gateway of yours opens this port".to_owned(),
            )
        })
    }
}

/// The port that a Service leads to from this one, if it leads to another one and nothing leads to this
/// one.
fn target_of(service: &Node, number: i64) -> Option<i64> {
    let ports = service.get("spec.ports").map(Node::elements).unwrap_or_default();
    let integer = |node: Option<&Node>| match node.map(|node| &node.value) {
        Some(Value::Scalar(PolicyValue::Integer(number))) => Some(*number),
        _ => None,
    };
    // A target port by name may be any number.
    let target = |port: &Node| match port.get("targetPort") {
        None => integer(port.get("port")),
        written => integer(written),
    };
    if ports.iter().any(|port| target(port).is_none_or(|target| target == number)) {
        return None;
    }
    ports.iter().find(|port| integer(port.get("port")) == Some(number)).and_then(target)
}
