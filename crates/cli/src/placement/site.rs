//! The kind of proxies that a resource is for, as far as it matters to authorization.

/// A kind of proxy, and its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Sidecars, outbound: the one place without authorization.
    Outbound,
    /// Sidecars, inbound.
    Inbound,
    /// Gateways, for what comes in or goes out.
    Gateway,
    /// Waypoints.
    Waypoint,
    /// Unknown, or several of these. Authorization runs on at least one of them.
    Mixed,
}

/// The side of a proxy, in Istio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sidecars outbound, and gateways.
    Client,
    /// Sidecars inbound, and waypoints.
    Server,
    /// Both.
    Both,
}

/// What is known about an attachment.
#[derive(Clone, Debug)]
pub struct Known<'k> {
    /// Whether the namespace is Istio's root.
    pub is_root: bool,
    /// The labels that choose workloads.
    pub labels: Vec<(&'k str, &'k str)>,
    /// The kinds of Gateway API's targets.
    pub targets: Vec<&'k str>,
    /// Whether something else shows that these are gateways.
    pub gateway: bool,
    /// Whether something else shows that these are waypoints.
    pub waypoint: bool,
    /// The side, as the release that reads the resource understands it.
    pub side: Side,
}

impl Site {
    /// Where a resource attaches, as Istio reads it.
    pub fn of(known: &Known<'_>) -> Self {
        let by_target = !known.targets.is_empty();
        if known.waypoint || known.targets.iter().any(|kind| *kind != "Gateway") {
            return Self::Waypoint;
        }
        match known.side {
            // All traffic of a gateway is `CLIENT`, so the target must be a waypoint.
            Side::Server if by_target => Self::Waypoint,
            Side::Client | Side::Both if by_target || known.gateway => Self::Gateway,
            Side::Client | Side::Both if known.labels.iter().any(is_gateways) => Self::Gateway,
            Side::Server => Self::Inbound,
            // Every proxy of the mesh, which includes its gateways.
            Side::Client if known.labels.is_empty() && known.is_root => Self::Mixed,
            Side::Client => Self::Outbound,
            Side::Both => Self::Mixed,
        }
    }

    /// Whether Istio's authorization may run there.
    pub fn authorizes(self) -> bool {
        self != Self::Outbound
    }
}

/// Whether a label is one that gateways have and applications do not have: the labels of Istio's
/// charts, and of the gateways that istiod creates.
fn is_gateways((name, value): &(&str, &str)) -> bool {
    match *name {
        "istio" => *value != "pilot",
        "app" => value.starts_with("istio-"),
        "gateway.networking.k8s.io/gateway-name" | "istio.io/gateway-name" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Side, Site};
    use crate::istio::ROOT_NAMESPACE as ROOT;

    fn site(namespace: &str, labels: &[(&str, &str)], targets: &[&str], side: Side) -> Site {
        Site::of(&Known {
            is_root: namespace == ROOT,
            labels: labels.to_vec(),
            targets: targets.to_vec(),
            gateway: false,
            waypoint: false,
            side,
        })
    }

    #[test]
    fn a_side_is_what_istio_makes_of_it() {
        let (app, edge) = (("app", "shop"), ("istio", "ingressgateway"));
        for (namespace, labels, targets, side, expected) in [
            ("shop", &[app][..], &[][..], Side::Client, Site::Outbound),
            ("shop", &[app], &[], Side::Server, Site::Inbound),
            ("shop", &[app], &[], Side::Both, Site::Mixed),
            ("shop", &[], &[], Side::Client, Site::Outbound),
            (ROOT, &[], &[], Side::Client, Site::Mixed),
            (ROOT, &[], &[], Side::Server, Site::Inbound),
            (ROOT, &[edge], &[], Side::Client, Site::Gateway),
            (ROOT, &[edge], &[], Side::Both, Site::Gateway),
            (ROOT, &[("istio", "pilot")], &[], Side::Client, Site::Outbound),
            ("edge", &[("app", "istio-ingress")], &[], Side::Client, Site::Gateway),
            ("shop", &[("app", "api-gateway")], &[], Side::Client, Site::Outbound),
            ("shop", &[("gateway.networking.k8s.io/gateway-name", "g")], &[], Side::Both, Site::Gateway),
            ("shop", &[], &["Gateway"], Side::Both, Site::Gateway),
            ("shop", &[], &["Gateway"], Side::Client, Site::Gateway),
            ("shop", &[], &["Gateway"], Side::Server, Site::Waypoint),
            ("shop", &[], &["Service"], Side::Both, Site::Waypoint),
            ("shop", &[], &["ServiceEntry"], Side::Server, Site::Waypoint),
            (ROOT, &[], &["GatewayClass"], Side::Both, Site::Waypoint),
        ] {
            assert_eq!(
                site(namespace, labels, targets, side),
                expected,
                "{namespace} {labels:?} {targets:?}"
            );
        }
    }
}
