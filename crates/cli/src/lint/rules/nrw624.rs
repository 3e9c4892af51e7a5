//! NRW624: something that a canary's Service needs of its own is written for the stable host only.

use narrows_core::PolicyValue;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::gateways::labels;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::deed;
use crate::placement::site::Site;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW624",
        title: "what the canary's Service needs of its own",
        text: "With \"authority\" a request goes to another host, and everything that is written for the stable host stays
behind: its VirtualService (timeouts, retries), its DestinationRule (TLS, outlier detection), its place
in a Sidecar's egress.hosts. The canary's Service needs a cluster IP, every port of the stable one, and
a selector that shares no pod with it. What is not in this run is not judged. \"to\" and one static
route need none of it but the ports.",
    },
    checks: &[Check::Run(check)],
};

/// A Service by its name and namespace; without a namespace it is that of the resource.
struct Service<'n> {
    name: &'n str,
    namespace: &'n str,
}

/// A canary that is reached by its host, and the stable Service beside it.
struct Pair<'n> {
    stable: Service<'n>,
    canary: Service<'n>,
}

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for one in run.attached.iter().filter(|one| matches!(one.site, Site::Outbound | Site::Mixed)) {
        let Some(policy) = one.policy() else { continue };
        for deed in deed::rewriting(policy).iter().filter(|deed| deed.acts) {
            let Some(pair) = deed.host.as_ref().filter(|host| host.moves).and_then(|host| pair(one, host))
            else {
                continue;
            };
            findings.extend(lacking(&pair, run).into_iter().map(|(message, help)| {
                (one.file, Finding::warning(&RULE.code, &deed.node.at, &deed.place, &message, help))
            }));
        }
    }
}

/// The Services of a split by `authority`. Of a split for several hosts nobody knows which is meant.
fn pair<'n>(one: &Attached<'n>, host: &deed::Host<'n>) -> Option<Pair<'n>> {
    let own = one.resource.text_at("metadata.namespace").unwrap_or("default");
    let stable = host.within.text_at("service").or_else(|| {
        let hosts = host.within.get("hosts").map(Node::elements).unwrap_or_default();
        hosts.iter().find_map(|host| host.text().filter(|host| host.split('.').nth(2) == Some("svc")))
    })?;
    let stable = service(stable, own);
    let authority = host.authority.split(':').next().unwrap_or_default();
    let canary = service(authority, stable.namespace);
    Some(Pair { stable, canary })
}

fn service<'n>(host: &'n str, namespace: &'n str) -> Service<'n> {
    let mut labels = host.split('.');
    let name = labels.next().unwrap_or_default();
    Service { name, namespace: labels.next().unwrap_or(namespace) }
}

/// What the canary lacks, and what to do.
fn lacking(pair: &Pair<'_>, run: &Run<'_>) -> Vec<(String, &'static str)> {
    let [stable, canary] = [&pair.stable, &pair.canary]
        .map(|service| run.about(Kind::Service, service.name).find(|resource| service.is(resource)));
    let name = pair.canary.name;
    let mut found = Vec::new();
    if canary.is_some_and(|canary| canary.text_at("spec.clusterIP") == Some("None")) {
        found.push((
            format!("the Service {name:?} has no cluster IP: a sidecar sends its requests where the caller went, to the stable version"),
            "give it a cluster IP: leave out \"clusterIP: None\"",
        ));
    }
    if let (Some(stable), Some(canary)) = (stable, canary) {
        let missing: Vec<String> =
            ports(stable).filter(|port| ports(canary).all(|other| other != *port)).collect();
        if !missing.is_empty() {
            let message =
                format!("the Service {name:?} lacks port {} of {:?}", missing.join(", "), pair.stable.name);
            found.push((message, "give it every port of the stable Service that callers use"));
        }
        if is_within(stable, canary) || is_within(canary, stable) {
            let message = format!("the selectors of {:?} and {name:?} share pods", pair.stable.name);
            found.push((message, "add a label to both, such as \"version\", with different values"));
        }
    }
    for (kind, what) in [
        (Kind::VirtualService, "a VirtualService, whose timeouts, retries and rewrites do not apply to"),
        (
            Kind::DestinationRule,
            "a DestinationRule, whose TLS, outlier detection and balancing do not apply to",
        ),
    ] {
        let has = |service: &Service<'_>| run.of(kind).iter().any(|(_, r)| service.is_named_by(r));
        let is_lost = |r: &Node| pair.stable.is_named_by(r) && says_more(r);
        if run.about(kind, pair.stable.name).any(is_lost) && !has(&pair.canary) {
            found.push((
                format!("{:?} has {what} {name:?}", pair.stable.name),
                "write one for the canary's host too",
            ));
        }
    }
    if run.other("Sidecar").iter().any(|(_, r)| hides(r, pair)) {
        let message = format!("a Sidecar lists {:?} in egress.hosts and not {name:?}", pair.stable.name);
        found.push((message, "list both: the callers' proxies do not know the canary's host"));
    }
    found
}

/// Whether a `VirtualService` does more than to send requests somewhere. A `DestinationRule` always does.
fn says_more(resource: &Node) -> bool {
    let mut routes = resource.get("spec.http").map(Node::elements).unwrap_or_default().iter();
    Kind::of(resource) != Kind::VirtualService
        || routes.any(|route| {
            let is_plain = |name: &str| ["name", "match", "route"].contains(&name);
            let destinations = route.get("route").map_or(0, |route| route.elements().len());
            destinations > 1 || route.fields().iter().any(|(key, _)| !is_plain(&key.name))
        })
}

/// The ports of a Service that speak TCP.
fn ports(service: &Node) -> impl Iterator<Item = String> + '_ {
    let ports = service.get("spec.ports").map(Node::elements).unwrap_or_default().iter();
    let tcp = ports.filter(|port| port.text_at("protocol").is_none_or(|protocol| protocol == "TCP"));
    tcp.filter_map(|port| match port.get("port")?.tree() {
        PolicyValue::Integer(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Whether one Service selects every pod that the other selects.
fn is_within(one: &Node, other: &Node) -> bool {
    let (one, other) = (labels(one.get("spec.selector")), labels(other.get("spec.selector")));
    !one.is_empty() && one.iter().all(|label| other.contains(label))
}

/// Whether a `Sidecar` shows its workloads the stable host and not the canary's.
fn hides(resource: &Node, pair: &Pair<'_>) -> bool {
    let listeners = resource.get("spec.egress").map(Node::elements).unwrap_or_default();
    let own = resource.text_at("metadata.namespace").unwrap_or("default");
    let hosts = || listeners.iter().filter_map(|listener| listener.get("hosts")).flat_map(Node::elements);
    let shows = |service: &Service<'_>| {
        hosts().filter_map(Node::text).filter_map(|host| host.split_once('/')).any(|(namespace, host)| {
            let namespace = if namespace == "." { own } else { namespace };
            (namespace == "*" || namespace == service.namespace) && service.is_called(host, service.namespace)
        })
    };
    shows(&pair.stable) && !shows(&pair.canary)
}

impl Service<'_> {
    /// Whether a resource is this Service.
    fn is(&self, resource: &Node) -> bool {
        resource.text_at("metadata.name") == Some(self.name)
            && resource.text_at("metadata.namespace").is_none_or(|namespace| namespace == self.namespace)
    }

    /// Whether a `VirtualService` or `DestinationRule` is for it.
    fn is_named_by(&self, resource: &Node) -> bool {
        let namespace = resource.text_at("metadata.namespace").unwrap_or(self.namespace);
        let hosts = resource.get("spec.hosts").map(Node::elements).unwrap_or_default().iter();
        hosts
            .chain(resource.get("spec.host"))
            .filter_map(Node::text)
            .any(|host| self.is_called(host, namespace))
    }

    /// Whether a host, as a resource in this namespace writes it, covers the Service.
    fn is_called(&self, host: &str, namespace: &str) -> bool {
        let full = format!("{}.{}.svc.cluster.local", self.name, self.namespace);
        match host.strip_prefix('*') {
            Some(suffix) => full.ends_with(suffix),
            None if !host.contains('.') => host == self.name && namespace == self.namespace,
            None => full.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        }
    }
}
