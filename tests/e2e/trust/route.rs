//! Beside a workload: the route that is judged is the one that is taken.

use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::{Value, json};

use super::PATIENCE;

const REVIEWS: &str = "outbound|9080|v2|reviews.shop.svc.cluster.local";
const PARTNER: &str = "outbound|443||partner.example";
const PASSTHROUGH: &str = "PassthroughCluster";
const GATEWAY: &str = "outbound|80||istio-egressgateway.istio-system.svc.cluster.local";

const POLICY: &str = r#"{"default": "deny", "denyPrivateAddresses": true, "rules": [
    {"name": "api", "action": "allow", "to": {"hosts": ["api.example", "b.example"], "ports": [443]}},
    {"name": "no8080", "action": "deny", "to": {"ports": [8080]}} ]}"#;

/// A virtual host: its name, its domains, its routes.
type Host<'h> = (&'h str, &'h [&'h str], Vec<Value>);

struct Sidecar {
    envoy: Envoy,
    outside: Echo,
}

impl Sidecar {
    fn with(chain: &[(&str, &str)], hosts: &[Host<'_>], direction: &str, node: &str) -> Self {
        let outside = Echo::start("outside", EchoOptions::default()).unwrap();
        let filters: Vec<Value> = chain.iter().map(|(filter, policy)| entry(filter, policy)).collect();
        let virtual_hosts: Vec<Value> = hosts
            .iter()
            .map(|(name, domains, routes)| json!({ "name": name, "domains": domains, "routes": routes }))
            .collect();
        let routes =
            json!({ "name": "80", "virtual_hosts": virtual_hosts, "ignore_port_in_host_matching": true });
        let mut main = listener("main", &filters, &routes);
        main["traffic_direction"] = json!(direction);
        let named = ["outbound|443||api.example", "outbound|8080||api.example", "inbound|8080||"];
        let clusters: Vec<Value> = [REVIEWS, PARTNER, PASSTHROUGH, GATEWAY]
            .iter()
            .chain(&named)
            .chain(&[REVIEWS_V2])
            .map(|name| static_cluster(name, outside.addr(), false))
            .collect();
        let mut config = bootstrap(&[main], &clusters);
        config["node"] = json!({
            "id": node, "cluster": "web.shop", "metadata": { "NAMESPACE": "shop", "WORKLOAD_NAME": "web" },
        });
        Self {
            envoy: Envoy::start(
                config,
                EnvoyOptions { ready_within: PATIENCE, ..EnvoyOptions::named("sidecar") },
            )
            .unwrap(),
            outside,
        }
    }

    fn outbound(policy: &str, hosts: &[Host<'_>]) -> Self {
        Self::with(&[("egress-policy", policy)], hosts, "OUTBOUND", NODE)
    }

    /// `200`, or the rule that refused.
    fn ask(&self, host: &str, headers: &[(&str, &str)]) -> String {
        let before = self.outside.requests();
        let request = headers.iter().fold(Request::get(host, "/"), |r, (name, value)| r.header(name, value));
        let answer = http1::exchange(self.envoy.listener("main").unwrap(), &request).unwrap();
        let reached = self.outside.requests() > before;
        let rule = answer.headers.text("x-narrows-egress");
        assert_eq!(rule.is_none(), reached, "{host} {headers:?}: {}", answer.status);
        rule.map_or_else(|| answer.status.to_string(), |rule| rule.replace("denied; rule=", ""))
    }
}

const NODE: &str = "sidecar~10.0.0.2~web-0.shop~shop.svc.cluster.local";
const REVIEWS_V2: &str = "outbound|9080||reviews-v2.shop.svc.cluster.local";

fn to(cluster: &str) -> Value {
    json!({ "match": { "prefix": "/" }, "route": { "cluster": cluster } })
}

/// As istiod writes the route of a host without a `VirtualService`.
fn by_default(cluster: &str) -> Value {
    json!({ "name": "default", "match": { "prefix": "/" }, "route": { "cluster": cluster } })
}

fn if_said(name: &str, cluster: &str) -> Value {
    json!({ "match": { "prefix": "/", "headers": [{ "name": name, "present_match": true }] },
            "route": { "cluster": cluster } })
}

#[test]
fn a_header_that_is_removed_chooses_no_route() {
    for trust in ["edge", "mesh"] {
        let policy = POLICY.replacen('{', &format!(r#"{{"trust": "{trust}", "#), 1);
        let sidecar = Sidecar::outbound(
            &policy,
            &[
                (
                    "reviews.shop.svc.cluster.local:9080",
                    &["reviews"],
                    vec![if_said("x-narrows-route", REVIEWS), to(PARTNER)],
                ),
                (
                    "api.example:443",
                    &["api.example"],
                    vec![
                        if_said("x-internal-lane", "outbound|443||api.example"),
                        to("outbound|8080||api.example"),
                    ],
                ),
                ("any", &["*"], vec![if_said("x-narrows-route", REVIEWS), to(PASSTHROUGH)]),
            ],
        );
        let route: &[(&str, &str)] = &[("x-narrows-route", "v2")];
        let lane: &[(&str, &str)] = &[("x-internal-lane", "1")];
        assert_eq!(sidecar.ask("10.9.9.9", &[]), "private-address", "{trust}");
        assert_eq!(sidecar.ask("evil", &[]), "default", "{trust}");
        assert_eq!(sidecar.ask("reviews", &[]), "default", "{trust}");
        assert_eq!(sidecar.ask("api.example", &[]), "no8080", "{trust}");
        // Where the header leads elsewhere, and is taken off.
        assert_eq!(sidecar.ask("10.9.9.9", route), "private-address", "{trust}");
        assert_eq!(sidecar.ask("evil", route), "default", "{trust}");
        assert_eq!(sidecar.ask("api.example", lane), "no8080", "{trust}");
        // The mesh is believed: its call does stay inside, and the header with it.
        let inside = if trust == "mesh" { "200" } else { "default" };
        assert_eq!(sidecar.ask("reviews", route), inside, "{trust}");
    }
}

#[test]
fn a_route_that_is_the_only_one_is_known_whatever_is_removed() {
    let of_a_virtual_service = |cluster: &str| {
        let mut route = by_default(cluster);
        route["metadata"] = json!({ "filter_metadata": { "istio": {
            "config": "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/api" } } });
        route
    };
    let sidecar = Sidecar::outbound(
        POLICY,
        &[
            ("reviews.shop.svc.cluster.local:9080", &["reviews"], vec![by_default(REVIEWS)]),
            ("api.example:443", &["api.example"], vec![by_default("outbound|443||api.example")]),
            ("b.example:443", &["b.example"], vec![of_a_virtual_service("outbound|443||api.example")]),
        ],
    );
    let said: &[(&str, &str)] =
        &[("x-internal-user", "1"), ("x-narrows-route", "v2"), ("x-envoy-retry-on", "5xx")];
    assert_eq!(sidecar.ask("reviews", said), "200");
    assert_eq!(sidecar.ask("api.example", said), "200");
    // A rule that denies a port cannot tell that it is another.
    assert_eq!(sidecar.ask("b.example", &said[..1]), "no8080");
    // What Envoy and Istio write on every call changes nothing.
    let envoys = [
        ("x-envoy-peer-metadata", "1"),
        ("x-envoy-peer-metadata-id", "1"),
        ("x-envoy-decorator-operation", "1"),
    ];
    assert_eq!(sidecar.ask("b.example", &envoys), "200");
    // Nor does it hold where only allowed ports are told.
    let allows = r#"{"rules": [{"name": "api", "action": "allow", "to": {"hosts": ["b.example"], "ports": [443]}},
        {"name": "c", "action": "allow", "to": {"hosts": ["c.example"]}}]}"#;
    let route = || vec![of_a_virtual_service("outbound|443||api.example")];
    let sidecar = Sidecar::outbound(
        allows,
        &[("b.example:443", &["b.example"], route()), ("c.example:443", &["c.example"], route())],
    );
    assert_eq!(sidecar.ask("b.example", &[]), "200");
    assert_eq!(sidecar.ask("b.example", &said[..1]), "default");
    assert_eq!(sidecar.ask("c.example", said), "200", "no rule asks for its port");
}

/// The same through an earlier filter: it removes the header, and Envoy still tells the route
/// that the header chose.
#[test]
fn nor_does_one_that_an_earlier_filter_removes() {
    let hosts: [Host<'_>; 2] = [
        (
            "reviews.shop.svc.cluster.local:9080",
            &["reviews"],
            vec![if_said("x-narrows-route", REVIEWS), to(PARTNER)],
        ),
        ("any", &["*"], vec![if_said("x-narrows-route", REVIEWS), to(PASSTHROUGH)]),
    ];
    // One that says nothing for later filters hears what earlier ones have said.
    for silent in ["", r#""filterState": false, "#] {
        let policy = POLICY.replacen('{', &format!("{{{silent}"), 1);
        let chain = [("header-router", r#"{"rules": []}"#), ("egress-policy", &*policy)];
        let sidecar = Sidecar::with(&chain, &hosts, "OUTBOUND", NODE);
        for host in ["reviews", "evil"] {
            assert_eq!(sidecar.ask(host, &[("x-narrows-route", "v2")]), "default", "{host} {silent}");
        }
    }
}

#[test]
fn what_goes_to_an_egress_gateway_is_judged() {
    let policy = r#"{"default": "deny", "denyPrivateAddresses": true}"#;
    let sidecar = Sidecar::outbound(
        policy,
        &[
            ("10.20.30.40:9000", &["10.20.30.40"], vec![to(GATEWAY)]),
            ("169.254.169.254:80", &["169.254.169.254"], vec![to(GATEWAY)]),
            ("mainframe:80", &["mainframe"], vec![to(GATEWAY)]),
            ("gitlab.istio-system:80", &["gitlab.istio-system"], vec![to(GATEWAY)]),
            ("legacy.corp:80", &["legacy.corp"], vec![to(GATEWAY)]),
            ("legacy.shop.svc.cluster.local:80", &["legacy", "legacy.shop"], vec![to(GATEWAY)]),
            (
                "reviews.shop.svc.cluster.local:9080",
                &["reviews", "reviews.shop", "10.96.0.7"],
                vec![to(REVIEWS_V2)],
            ),
            (
                "istio-egressgateway.istio-system.svc.cluster.local:80",
                &["istio-egressgateway.istio-system"],
                vec![to(GATEWAY)],
            ),
        ],
    );
    for host in ["10.20.30.40:9000", "169.254.169.254"] {
        assert_eq!(sidecar.ask(host, &[]), "private-address", "{host}");
    }
    for host in ["mainframe", "gitlab.istio-system", "legacy.corp", "legacy", "legacy.shop"] {
        assert_eq!(sidecar.ask(host, &[]), "default", "{host}");
    }
    // A VirtualService may send one Service's calls to another, and the gateway has a name too.
    for host in ["reviews", "reviews.shop:9080", "10.96.0.7", "istio-egressgateway.istio-system"] {
        assert_eq!(sidecar.ask(host, &[]), "200", "{host}");
    }
}

#[test]
fn what_comes_in_is_not_judged() {
    let hosts: [Host<'_>; 1] = [("inbound|http|8080", &["*"], vec![to("inbound|8080||")])];
    let said: &[(&str, &str)] = &[("x-narrows-route", "v2"), ("x-internal-user", "1")];
    for (node, direction, passes) in [
        (NODE, "INBOUND", true),
        (NODE, "OUTBOUND", false),
        (NODE, "UNSPECIFIED", false),
        ("laptop", "INBOUND", true),
        // What comes to a waypoint goes on, though its listeners are called inbound.
        ("waypoint~10.0.0.2~waypoint-0.shop~shop.svc.cluster.local", "INBOUND", false),
        (
            "router~10.0.0.2~istio-egressgateway-0.istio-system~istio-system.svc.cluster.local",
            "OUTBOUND",
            false,
        ),
    ] {
        let sidecar = Sidecar::with(&[("egress-policy", r#"{"default": "deny"}"#)], &hosts, direction, node);
        let expected = if passes { "200" } else { "default" };
        assert_eq!(sidecar.ask("stock.shop:8080", said), expected, "{node} {direction}");
        if passes {
            let seen = sidecar.outside.last().unwrap();
            assert!(seen.headers.contains("x-narrows-route") && seen.headers.contains("x-internal-user"));
            let counted = sidecar.envoy.stats().unwrap();
            let counts =
                |(name, count): (&String, &u64)| name.contains("narrows_egress_requests_total") && *count > 0;
            assert!(!counted.iter().any(counts), "{node}: nothing is counted");
        }
    }
}
