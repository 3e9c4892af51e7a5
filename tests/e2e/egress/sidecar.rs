//! Beside a workload, as istiod configures its proxy: the node says whose it is, the
//! name of each cluster where a call goes.

use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::echo::{Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_tests::entry;
use serde_json::{Value, json};

const POLICY: &str = r#"{
  "rules": [
    { "name": "own", "action": "allow",
      "from": { "namespaces": ["shop"], "workloads": ["checkout"] },
      "to": { "hosts": ["api.example"], "ports": [443] } },
    { "name": "anyone", "action": "allow", "from": { "namespaces": ["shop"] }, "to": { "hosts": ["git.example"] } },
    { "name": "exfil", "action": "deny", "to": { "hosts": ["exfil.shop", "exfil.shop.svc.cluster.local"] } } ],
  "denyPrivateAddresses": true }"#;

/// Domains of a virtual host, and the cluster behind it.
const ROUTES: [(&[&str], &str); 8] = [
    (&["api.example"], "outbound|443||api.example"),
    (&["git.example"], "outbound|443||git.example"),
    (
        &["stock", "stock.shop", "stock.shop.svc.cluster.local", "10.96.0.7"],
        "outbound|8080||stock.shop.svc.cluster.local",
    ),
    // A VirtualService sends it to another Service.
    (&["reviews", "reviews.shop"], "outbound|9080|v2|reviews-v2.shop.svc.cluster.local"),
    (&["*.db.shop.svc.cluster.local"], "outbound|5432||db.shop.svc.cluster.local"),
    // A Service of type ExternalName.
    (&["exfil.shop", "exfil.shop.svc.cluster.local"], "outbound|443||exfil.shop.svc.cluster.local"),
    (&["partner.example"], "outbound|443||istio-egressgateway.istio-system.svc.cluster.local"),
    (&["*"], "PassthroughCluster"),
];

struct Sidecar {
    envoy: Envoy,
    outside: Echo,
}

impl Sidecar {
    fn of(workload: &str) -> anyhow::Result<Self> {
        let outside = Echo::start("outside", EchoOptions::default())?;
        let hosts: Vec<Value> = ROUTES
            .iter()
            .map(|(domains, cluster)| {
                // istiod names them after the host, whole and with the port.
                let name = match domains[0] {
                    "reviews" => "reviews.shop.svc.cluster.local:9080".to_owned(),
                    "stock" => "stock.shop.svc.cluster.local:8080".to_owned(),
                    "*" => "allow_any".to_owned(),
                    host => format!("{host}:80"),
                };
                let route = if domains[0] == "*" { "allow_any" } else { "default" };
                json!({ "name": name, "domains": domains,
                        "routes": [{ "name": route, "match": { "prefix": "/" }, "route": { "cluster": cluster } }] })
            })
            .collect();
        let routes = json!({ "name": "80", "virtual_hosts": hosts, "ignore_port_in_host_matching": true });
        let filter = entry("egress-policy", POLICY);
        let clusters: Vec<Value> =
            ROUTES.iter().map(|(_, cluster)| static_cluster(cluster, outside.addr(), false)).collect();
        let mut config = bootstrap(&[listener("outbound", &[filter], &routes)], &clusters);
        config["node"] = json!({
            "id": format!("sidecar~10.0.0.2~{workload}-0.shop~shop.svc.cluster.local"),
            "cluster": format!("{workload}.shop"),
            "metadata": { "NAMESPACE": "shop", "WORKLOAD_NAME": workload },
        });
        Ok(Self { envoy: Envoy::start(config, EnvoyOptions::named(workload))?, outside })
    }

    fn ask(&self, host: &str) -> anyhow::Result<Response> {
        let request = Request::get(host, "/").header("x-internal-user", "1");
        let at = self.envoy.listener("outbound")?;
        self.envoy.context(http1::exchange(at, &request))
    }
}

#[test]
fn the_node_says_who_calls_and_the_route_where_it_goes() {
    for (workload, asks) in [
        (
            "checkout",
            [
                ("api.example", None),
                ("api.example:443", None),
                // The port of the route is another than the one that is written.
                ("api.example:8443", Some("default")),
                ("git.example", None),
                ("partner.example", Some("default")),
                ("elsewhere.example", Some("default")),
                ("exfil.shop", Some("exfil")),
                ("EXFIL.shop.svc.cluster.local.", Some("exfil")),
                ("10.0.0.9", Some("private-address")),
                // Only Envoy's route makes an inside of a name.
                ("nowhere.shop.svc.cluster.local", Some("default")),
            ],
        ),
        (
            "web",
            [
                ("api.example", Some("default")),
                ("api.example:443", Some("default")),
                ("api.example:8443", Some("default")),
                ("git.example", None),
                ("partner.example", Some("default")),
                ("elsewhere.example", Some("default")),
                ("exfil.shop", Some("exfil")),
                ("exfil.shop.svc.cluster.local", Some("exfil")),
                ("169.254.169.254", Some("private-address")),
                ("nowhere.shop.svc.cluster.local", Some("default")),
            ],
        ),
    ] {
        let sidecar = Sidecar::of(workload).unwrap();
        for (host, rule) in asks {
            let before = sidecar.outside.requests();
            let answer = sidecar.ask(host).unwrap();
            let expected = rule.map(|rule| format!("denied; rule={rule}"));
            assert_eq!(answer.headers.text("x-narrows-egress"), expected, "{workload} {host}");
            assert_eq!(answer.status, if rule.is_some() { 403 } else { 200 }, "{workload} {host}");
            assert_eq!(sidecar.outside.requests() - before, u64::from(rule.is_none()), "{workload} {host}");
            if rule.is_none() {
                let seen = Received::from_response(&answer).unwrap();
                assert!(!seen.headers.contains("x-internal-user"), "{workload} {host}");
            }
        }
    }
}

#[test]
fn what_stays_inside_is_left_as_it_is_and_counted() {
    let sidecar = Sidecar::of("web").unwrap();
    let inside = [
        "stock",
        "stock:8080",
        "stock.shop",
        "Stock.shop.svc.cluster.local",
        "10.96.0.7",
        "reviews",
        "reviews.shop:9080",
        "db-0.db.shop.svc.cluster.local",
    ];
    for host in inside {
        let answer = sidecar.ask(host).unwrap();
        assert_eq!(answer.status, 200, "{host}");
        let seen = Received::from_response(&answer).unwrap();
        assert!(seen.headers.contains("x-internal-user"), "{host}");
    }
    let counted = sidecar.envoy.stats().unwrap();
    let counted: Vec<_> = counted
        .iter()
        .filter(|(name, count)| name.contains("narrows_egress_requests_total") && **count > 0)
        .collect();
    let [(name, count)] = &counted[..] else { panic!("{counted:?}") };
    assert!(name.contains("rule=.=in-cluster;.;action=.=allow;."), "{name}");
    assert_eq!(**count, inside.len() as u64);
}
