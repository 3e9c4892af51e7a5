//! Where Envoy's own route leads, as far as Istio's name of the cluster says it:
//! `outbound|PORT|SUBSET|HOST`.

use super::destination::Host;

/// The route of a request, beside the workload that sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    /// The port of the destination.
    pub(super) port: Option<u16>,
    host: &'a [u8],
}

impl<'a> Route<'a> {
    /// None where the name says nothing: `PassthroughCluster` goes wherever the caller
    /// has connected to.
    pub(super) fn of(cluster: &'a [u8]) -> Option<Self> {
        let mut parts = cluster.strip_prefix(b"outbound|")?.splitn(3, |b| *b == b'|');
        let (port, _subset, host) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { port: std::str::from_utf8(port).ok().and_then(|port| port.parse().ok()), host })
    }

    /// Whether a request stays in the cluster: the route leads to a Service, and the
    /// host is a name from inside. Both must agree, for a route to an egress gateway
    /// leads to a Service too. It need not be the one that the host names: a virtual
    /// service of Istio may send it to another.
    pub(super) fn stays_inside(&self, host: &Host<'_>) -> bool {
        let mut labels = self.host.splitn(3, |b| *b == b'.');
        let (Some(_), Some(namespace), Some(domain)) = (labels.next(), labels.next(), labels.next()) else {
            return false;
        };
        if domain != b"svc" && !domain.starts_with(b"svc.") {
            return false;
        }
        let name = match host {
            Host::Name(name) => &**name,
            // The Service by its own address.
            Host::Address(_) => return host.is_private(),
        };
        let is_below = |parent: &[u8]| name.strip_suffix(parent).is_some_and(|rest| rest.ends_with(b"."));
        let is_short = |name: &[u8]| {
            self.host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        };
        let parents = || {
            let dots = name.iter().enumerate().filter(|(_, b)| **b == b'.');
            dots.filter_map(|(dot, _)| name.get(dot.saturating_add(1)..))
        };
        is_below(domain)
            || is_below(b"svc")
            || is_short(name)
            // A pod of a StatefulSet: `db-0.db`, `db-0.db.shop`.
            || parents().any(is_short)
            // Another Service: `reviews`, `reviews.shop`.
            || parents().next().is_none_or(|rest| rest == namespace)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Route;
    use crate::egress::destination::Destination;

    #[test]
    fn a_cluster_names_its_port() {
        let port = |cluster: &str| Route::of(cluster.as_bytes()).map(|route| route.port);
        assert_eq!(port("outbound|443||api.example"), Some(Some(443)));
        assert_eq!(port("outbound|9080|v1|reviews.shop.svc.cluster.local"), Some(Some(9080)));
        assert_eq!(port("outbound|x||api.example"), Some(None));
        for other in ["PassthroughCluster", "BlackHoleCluster", "inbound|80||", "outbound|80", "outbound", ""]
        {
            assert_eq!(port(other), None, "{other}");
        }
    }

    #[test]
    fn what_stays_inside() {
        let stays = |cluster: &str, host: &str| {
            let host = Destination::of(host.as_bytes()).unwrap().host;
            Route::of(cluster.as_bytes()).is_some_and(|route| route.stays_inside(&host))
        };
        let reviews = "outbound|9080|v1|reviews.shop.svc.cluster.local";
        let names = ["", ".shop", ".shop.svc", ".shop.svc.cluster.local"];
        for rest in names {
            assert!(stays(reviews, &format!("reviews{rest}")), "{rest}");
            assert!(stays("outbound|9080||reviews-v2.shop.svc.cluster.local", &format!("reviews{rest}")));
            assert!(stays("outbound|5432||db.shop.svc.cluster.local", &format!("db-0.db{rest}")), "{rest}");
        }
        assert!(stays("outbound|80||reviews.beta.svc.cluster.local", "reviews.shop.svc"));
        assert!(stays(reviews, "10.96.0.7"));
        for host in ["evil.example", "reviews.evil", "shop.example", "shop.com", "8.8.8.8", "a.shop.evil"] {
            assert!(!stays(reviews, host), "{host}");
        }
        let gateway = "outbound|443||istio-egressgateway.istio-system.svc.cluster.local";
        assert!(!stays(gateway, "api.stripe.com"));
        assert!(!stays(gateway, "svc.cluster.local.evil.example"));
        assert!(!stays("outbound|443||api.stripe.com", "api.stripe.com"));
        assert!(!stays("outbound|443||reviews.shop.svcx.example", "reviews.shop.svcx.example"));
        assert!(!stays("PassthroughCluster", "reviews.shop.svc.cluster.local"));
    }
}
