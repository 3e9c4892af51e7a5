//! Where Envoy's own route leads, as far as Istio's name of the cluster shows it:
//! `outbound|PORT|SUBSET|HOST`.

use super::destination::Host;

/// Envoy's route for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    /// The port of the destination.
    pub(super) port: Option<u16>,
    host: &'a [u8],
    /// The host that istiod names the virtual host after.
    asked: Option<&'a [u8]>,
}

impl<'a> Route<'a> {
    /// `None` where the name shows nothing: `PassthroughCluster` goes wherever the caller has connected
    /// to.
    pub(super) fn of(cluster: &'a [u8], virtual_host: Option<&'a [u8]>) -> Option<Self> {
        let mut parts = cluster.strip_prefix(b"outbound|")?.splitn(3, |b| *b == b'|');
        let (port, _subset, host) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            port: std::str::from_utf8(port).ok().and_then(|port| port.parse().ok()),
            host,
            asked: virtual_host.and_then(|name| name.split(|b| *b == b':').next()),
        })
    }

    /// Whether the virtual host must be known to decide whether a request to this authority stays in
    /// the cluster.
    pub(super) fn asks_virtual_host(&self, authority: &[u8]) -> bool {
        let end = authority.iter().rposition(|b| *b == b':').unwrap_or(authority.len());
        let name = authority.get(..end).unwrap_or_default();
        let rest = || self.host.get(name.len()..).filter(|rest| rest.is_empty() || rest.starts_with(b"."));
        let starts = || self.host.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        service(self.host).is_some() && !(rest().is_some() && starts())
    }

    /// Whether a request stays in the cluster. It does if the route leads to the Service that the host
    /// names. It also does if the route leads to a Service that replaces another one. The name of
    /// Envoy's virtual host shows which Service is replaced; the host must be one of its names or
    /// addresses. The replacing Service must not be named like an egress gateway: a gateway is a
    /// Service too, but what comes to it leaves.
    pub(super) fn stays_inside(&self, host: &Host<'_>) -> bool {
        let Some((name, namespace, domain)) = service(self.host) else { return false };
        let is_gateway = name.windows(GATEWAY.len()).any(|part| part == GATEWAY);
        if let Host::Name(name) = host
            && (is_short(self.host, name) || (!is_gateway && is_pod(self.host, name)))
        {
            return true;
        }
        let Some(asked) = self.asked.filter(|asked| !is_gateway && service(asked).is_some()) else {
            return false;
        };
        let Host::Name(name) = host else { return host.is_private() };
        let is_alias = || {
            let mut parents = parents(name).peekable();
            parents.peek().is_none_or(|parent| *parent == namespace)
                || parents.any(|parent| parent == domain || parent == b"svc")
        };
        is_short(asked, name) || is_pod(asked, name) || (asked == self.host && is_alias())
    }
}

/// A part of the name of an egress gateway.
const GATEWAY: &[u8] = b"egress";

/// Name, namespace and domain of `NAME.NAMESPACE.svc.DOMAIN`.
fn service(host: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut labels = host.splitn(3, |b| *b == b'.');
    let (name, namespace, domain) = (labels.next()?, labels.next()?, labels.next()?);
    let is_label = |label: &[u8]| !label.is_empty() && label != b"*";
    let is_inside = domain == b"svc" || domain.starts_with(b"svc.");
    (is_label(name) && is_label(namespace) && is_inside).then_some((name, namespace, domain))
}

/// The rest of a name after each of its dots.
fn parents(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let dots = name.iter().enumerate().filter(|(_, b)| **b == b'.');
    dots.filter_map(|(dot, _)| name.get(dot.saturating_add(1)..))
}

/// Whether a name is a Service's, in full or without its end.
fn is_short(service: &[u8], name: &[u8]) -> bool {
    let rest = service.strip_prefix(name).filter(|_| !name.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}

/// Whether a name is that of a pod of a `StatefulSet`: `db-0.db`, `db-0.db.shop`.
fn is_pod(service: &[u8], name: &[u8]) -> bool {
    parents(name).next().is_some_and(|parent| is_short(service, parent))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Route;
    use crate::filter::egress::destination::Destination;

    #[test]
    fn a_cluster_names_its_port() {
        let port = |cluster: &str| Route::of(cluster.as_bytes(), None).map(|route| route.port);
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
        let stays = |cluster: &str, virtual_host: &str, host: &str| {
            let route = Route::of(cluster.as_bytes(), Some(virtual_host.as_bytes()));
            let asks = route.is_some_and(|route| route.asks_virtual_host(host.as_bytes()));
            // What is not asked for must not decide.
            let virtual_host = Some(virtual_host.as_bytes()).filter(|_| asks);
            let host = Destination::of(host.as_bytes()).unwrap().host;
            Route::of(cluster.as_bytes(), virtual_host).is_some_and(|route| route.stays_inside(&host))
        };
        let reviews = "outbound|9080|v1|reviews.shop.svc.cluster.local";
        let of_reviews = "reviews.shop.svc.cluster.local:9080";
        for rest in ["", ".shop", ".shop.svc", ".shop.svc.cluster.local"] {
            let name = format!("reviews{rest}");
            assert!(stays(reviews, of_reviews, &name), "{rest}");
            assert!(stays(reviews, "any", &name), "{rest}: whatever the virtual host is called");
            assert!(stays(reviews, "any", &name.to_uppercase()), "{rest}");
            // A virtual service sends it to another Service, there or elsewhere.
            assert!(stays("outbound|9080||reviews-v2.shop.svc.cluster.local", of_reviews, &name), "{rest}");
            assert!(stays("outbound|80||reviews.beta.svc.cluster.local", of_reviews, &name), "{rest}");
            let pod = format!("db-0.db{rest}");
            assert!(stays("outbound|5432||db.shop.svc.cluster.local", "*.db.shop.svc", &pod), "{rest}");
        }
        assert!(stays(reviews, of_reviews, "10.96.0.7"));
        assert!(stays("outbound|9080||reviews-v2.shop.svc.cluster.local", of_reviews, "10.96.0.7"));
        // Of an ExternalName istiod makes one more name of the Service that it stands for.
        for alias in ["alias", "alias.shop", "alias.other.svc", "alias.other.svc.cluster.local"] {
            assert!(stays(reviews, of_reviews, alias), "{alias}");
            assert!(!stays(reviews, "allow_any", alias), "{alias}");
        }
        for host in ["evil.example", "reviews.evil", "shop.example", "shop.com", "8.8.8.8", "a.shop.evil"] {
            assert!(!stays(reviews, of_reviews, host), "{host}");
        }
        assert!(!stays("outbound|443||api.stripe.com", "api.stripe.com:443", "api.stripe.com"));
        assert!(!stays("outbound|443||reviews.shop.svcx.example", "x", "reviews.shop.svcx.example"));
        assert!(!stays("PassthroughCluster", "allow_any", "reviews.shop.svc.cluster.local"));
    }

    #[test]
    fn what_is_sent_to_an_egress_gateway_leaves() {
        for gateway in [
            "outbound|80||istio-egressgateway.istio-system.svc.cluster.local",
            "outbound|443|legacy|egress.infra.svc.cluster.local",
            "outbound|80||my-egress.egress.svc",
        ] {
            for (virtual_host, host) in [
                ("10.20.30.40:9000", "10.20.30.40"),
                ("169.254.169.254:80", "169.254.169.254"),
                ("mainframe:9000", "mainframe"),
                ("gitlab.egress:80", "gitlab.egress"),
                ("legacy.corp:80", "legacy.corp"),
                ("api.stripe.com:443", "api.stripe.com"),
                ("x.svc.cluster.local.evil.example:443", "x.svc.cluster.local.evil.example"),
                // A Service without pods, to have a name for what is outside.
                ("legacy.shop.svc.cluster.local:80", "legacy.shop"),
                ("legacy.shop.svc.cluster.local:80", "legacy.shop.svc.cluster.local"),
                ("legacy.shop.svc.cluster.local:80", "10.96.0.8"),
                // A connection to the gateway's own address, on a port without a protocol.
                ("istio-egressgateway.istio-system.svc.cluster.local:80", "mainframe"),
                ("egress.infra.svc.cluster.local:80", "10.20.30.40"),
            ] {
                let route = Route::of(gateway.as_bytes(), Some(virtual_host.as_bytes())).unwrap();
                let inside = route.stays_inside(&Destination::of(host.as_bytes()).unwrap().host);
                assert!(!inside, "{gateway} {virtual_host} {host}");
            }
        }
        // Called otherwise it is known by the host alone, which is no Service's.
        let other = "outbound|80||way-out.infra.svc.cluster.local";
        for host in ["10.20.30.40", "mainframe", "gitlab.infra"] {
            let virtual_host = format!("{host}:80");
            let route = Route::of(other.as_bytes(), Some(virtual_host.as_bytes())).unwrap();
            assert!(!route.stays_inside(&Destination::of(host.as_bytes()).unwrap().host), "{host}");
        }
    }
}
