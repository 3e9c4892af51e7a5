//! The gateways of a run: which proxies are gateways or waypoints, and which hosts a gateway routes.

use narrows_core::PolicyValue;

use super::options::{KnownGateway, Options};
use crate::documents::Kind;
use crate::source::{Node, Value};

/// The gateways and routes among resources that are applied together.
pub(super) struct Gateways<'n> {
    of_istio: Vec<&'n Node>,
    of_gateway_api: Vec<&'n Node>,
    routes: Vec<Route<'n>>,
    known: &'n [KnownGateway],
    root: &'n str,
}

/// Hosts that are routed at some gateways.
struct Route<'n> {
    resource: &'n Node,
    /// The gateways by the names that the route uses; of Gateway API or of Istio.
    gateways: Vec<&'n str>,
    /// The hosts; none means every host.
    hosts: Vec<&'n str>,
}

impl<'n> Gateways<'n> {
    /// The gateways and routes of all resources that are applied together.
    pub(super) fn new(resources: &[(usize, &'n Node)], options: &'n Options) -> Self {
        let mut found = Self {
            of_istio: Vec::new(),
            of_gateway_api: Vec::new(),
            routes: Vec::new(),
            known: &options.gateways,
            root: options.root(),
        };
        for (_, resource) in resources {
            match Kind::of(resource) {
                Kind::Gateway => found.of_istio.push(resource),
                Kind::VirtualService => {
                    let gateways = texts(resource.get("spec.gateways")).filter(|name| *name != "mesh");
                    found.routes.push(Route {
                        resource,
                        gateways: gateways.collect(),
                        hosts: texts(resource.get("spec.hosts")).collect(),
                    });
                }
                Kind::Other => found.gateway_api(resource),
                _ => {}
            }
        }
        // A route without gateways is for sidecars, or for another VirtualService to delegate to.
        found.routes.retain(|route| !route.gateways.is_empty());
        found
    }

    fn gateway_api(&mut self, resource: &'n Node) {
        match resource.text_at("kind") {
            Some("Gateway") => self.of_gateway_api.push(resource),
            Some("HTTPRoute" | "GRPCRoute") => {
                let parents = resource.get("spec.parentRefs").map(Node::elements).unwrap_or_default();
                let parents = parents
                    .iter()
                    .filter(|parent| parent.text_at("kind").is_none_or(|kind| kind == "Gateway"));
                self.routes.push(Route {
                    resource,
                    gateways: parents.filter_map(|parent| parent.text_at("name")).collect(),
                    hosts: texts(resource.get("spec.hostnames")).collect(),
                });
            }
            _ => {}
        }
    }

    /// Whether a Gateway chooses workloads with these labels.
    pub(super) fn has_gateway_of(&self, namespace: Option<&str>, chosen: &[(&str, &str)]) -> bool {
        self.of_istio.iter().any(|gateway| chooses(gateway, chosen))
            || self.known.iter().any(|gateway| gateway.is_chosen(namespace, chosen, self.root))
    }

    /// Whether a gateway with these labels opens a port.
    pub(super) fn opens(&self, namespace: Option<&str>, chosen: &[(&str, &str)], port: i64) -> bool {
        let is_port = |node: Option<&Node>| matches!(node.map(|node| &node.value), Some(Value::Scalar(PolicyValue::Integer(n))) if *n == port);
        let opens = |gateway: &&Node| {
            let servers = gateway.get("spec.servers").map(Node::elements).unwrap_or_default();
            servers
                .iter()
                .any(|server| is_port(server.get("port.number")) || is_port(server.get("port.targetPort")))
        };
        self.of_istio.iter().filter(|gateway| chooses(gateway, chosen)).any(opens)
            || self
                .known
                .iter()
                .filter(|gateway| gateway.is_chosen(namespace, chosen, self.root))
                .any(|gateway| gateway.ports.is_empty() || gateway.ports.contains(&port))
    }

    /// Whether a Gateway of that name is a waypoint.
    pub(super) fn is_waypoint(&self, name: &str) -> bool {
        let mut named =
            self.of_gateway_api.iter().filter(|gateway| gateway.text_at("metadata.name") == Some(name));
        named.any(|gateway| {
            gateway.text_at("spec.gatewayClassName").is_some_and(|class| class.contains("waypoint"))
        })
    }

    /// Whether a route of the gateways that a resource is for has one of these hosts. None if there is
    /// no route at those gateways.
    pub(super) fn routes(&self, resource: &Node, hosts: &[String]) -> Option<bool> {
        let labels = labels(resource.get("spec.selector.matchLabels"));
        let refs = resource.get("spec.targetRefs").map(Node::elements).unwrap_or_default();
        let targets: Vec<&str> = refs.iter().filter_map(|target| target.text_at("name")).collect();
        let mut any = None;
        for route in &self.routes {
            let bound = route.gateways.iter().filter(|name| self.is_for(name, &labels, &targets));
            for gateway in bound {
                let routed = hosts.iter().any(|host| route.has(host) && self.listens(gateway, host));
                any = Some(any.unwrap_or(false) || routed);
            }
        }
        any
    }

    /// Whether a gateway may be one of the chosen proxies. A gateway that is not in the run may be any
    /// proxy.
    fn is_for(&self, name: &str, labels: &[(&str, &str)], targets: &[&str]) -> bool {
        let (_, short) = name.rsplit_once('/').unwrap_or(("", name));
        if !targets.is_empty() {
            return targets.contains(&short);
        }
        self.gateway(short).is_none_or(|gateway| !contradicts(gateway, labels))
    }

    /// Whether a gateway has a server for a host. A gateway that is not in the run may have one.
    fn listens(&self, name: &str, host: &str) -> bool {
        let (_, short) = name.rsplit_once('/').unwrap_or(("", name));
        let Some(gateway) = self.gateway(short) else { return true };
        let servers = gateway.get("spec.servers").map(Node::elements).unwrap_or_default();
        let opened = servers.iter().flat_map(|server| texts(server.get("hosts")));
        let mut opened = opened.map(|host| host.rsplit_once('/').map_or(host, |(_, host)| host));
        servers.is_empty() || opened.any(|pattern| is_host(pattern, host))
    }

    fn gateway(&self, name: &str) -> Option<&'n Node> {
        self.of_istio.iter().copied().find(|gateway| gateway.text_at("metadata.name") == Some(name))
    }
}

impl Route<'_> {
    /// Whether the gateway's route table has this host.
    fn has(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|pattern| self.is_host(pattern, host))
    }

    /// Istio completes a name without a dot before it makes a route table from it.
    fn is_host(&self, pattern: &str, host: &str) -> bool {
        if pattern.contains('.') || pattern == "*" {
            return is_host(pattern, host);
        }
        let Some(rest) = host.strip_prefix(pattern).and_then(|rest| rest.strip_prefix('.')) else {
            return false;
        };
        let namespace = rest.strip_suffix(".svc.cluster.local");
        namespace.is_some()
            && self.resource.text_at("metadata.namespace").is_none_or(|own| namespace == Some(own))
    }
}

/// Whether a virtual host of that name takes requests for a host.
fn is_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => {
            host.len() > suffix.len() && host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase())
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// Whether an Istio Gateway and a selector choose the same workloads: they agree on at least one label
/// and contradict each other on none.
fn chooses(gateway: &Node, chosen: &[(&str, &str)]) -> bool {
    let own = labels(gateway.get("spec.selector"));
    own.iter().any(|label| chosen.contains(label)) && !contradicts(gateway, chosen)
}

/// Whether no workload can have the labels of both.
fn contradicts(gateway: &Node, chosen: &[(&str, &str)]) -> bool {
    let own = labels(gateway.get("spec.selector"));
    own.iter().any(|(name, value)| chosen.iter().any(|(other, text)| other == name && text != value))
}

/// The labels of a table whose values are strings.
pub(super) fn labels(table: Option<&Node>) -> Vec<(&str, &str)> {
    let fields = table.map(Node::fields).unwrap_or_default();
    fields.iter().filter_map(|(key, value)| Some((key.name.as_str(), value.text()?))).collect()
}

fn texts(list: Option<&Node>) -> impl Iterator<Item = &str> {
    list.map(Node::elements).unwrap_or_default().iter().filter_map(Node::text)
}
