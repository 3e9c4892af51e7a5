//! Does `authority` go where `narrows lint` says that it goes?

use narrows::lint::{self, Options};
use narrows::source::SourceFile;
use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use serde_json::{Value, json};

use super::istio::{Chain, render};

/// A `VirtualService` at the gateway for one host, as a manifest and as what istiod makes of it.
fn routed(host: &str, in_full: &str, cluster: &str) -> (String, Value) {
    let manifest = format!(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{ name: {cluster}, namespace: shop }}\n\
         spec:\n  hosts: [\"{host}\"]\n  gateways: [istio-system/edge]\n  http:\n    - route: [{{ destination: {{ host: {cluster} }} }}]\n"
    );
    let hosts = json!({ "name": in_full, "domains": [in_full], "routes": [cluster_route(cluster)] });
    (manifest, hosts)
}

/// A gateway answers 404 to a host that none of its `VirtualServices` has: then, and only then,
/// lint warns.
#[test]
fn a_gateway_routes_what_lint_says_that_it_does() {
    let [stable, canary] =
        ["stable", "canary"].map(|name| Echo::start(name, EchoOptions::default()).unwrap());
    let shop = routed("shop.example.com", "shop.example.com", "stable");
    let of = |host: &str, in_full: &str| routed(host, in_full, "canary");
    let full = "shop-canary.shop.svc.cluster.local";
    let (mut listeners, mut cases) = (Vec::new(), Vec::new());
    for (authority, other, goes) in [
        ("shop-canary", None, false),
        (full, None, false),
        ("canary.example.com", None, false),
        ("canary.example.com", Some(of("canary.example.com", "canary.example.com")), true),
        ("canary.example.com", Some(of("*.example.com", "*.example.com")), true),
        ("canary.example.com", Some(of("other.example.com", "other.example.com")), false),
        // istiod writes a bare name in full, and a gateway knows no other form of it.
        ("shop-canary", Some(of("shop-canary", full)), false),
        (full, Some(of("shop-canary", full)), true),
        (full, Some(of(full, full)), true),
        ("canary.example.com:8080", Some(of("canary.example.com", "canary.example.com")), true),
    ] {
        for (filter, policy) in policies(authority) {
            let plugin = render(filter, &policy.to_string(), Some("CLIENT"), None);
            let manifests = [&shop].into_iter().chain(&other).map(|(manifest, _)| manifest.as_str());
            let text = plugin.clone() + &manifests.collect::<String>();
            let checked = lint::check(SourceFile { path: String::new(), text }, &Options::default());
            let codes: Vec<_> = checked.findings.iter().map(|finding| finding.code.id).collect();
            let expected: &[&str] = if goes { &[] } else { &["NRW623"] };
            assert_eq!(codes, expected, "{filter} {authority} {other:?}");

            let hosts: Vec<_> = [&shop].into_iter().chain(&other).map(|(_, hosts)| hosts.clone()).collect();
            let table =
                json!({ "name": "http.8080", "ignore_port_in_host_matching": true, "virtual_hosts": hosts });
            let name = format!("{filter} {authority} {}", cases.len());
            listeners.push(listener(&name, &Chain::of(&plugin).filters(None, &[]), &table));
            cases.push((name, goes));
        }
    }
    let start = bootstrap(
        &listeners,
        &[static_cluster("stable", stable.addr(), false), static_cluster("canary", canary.addr(), false)],
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("gateway")).unwrap();
    for (name, goes) in cases {
        let mut client = Client::connect(Protocol::Http1, envoy.listener(&name).unwrap()).unwrap();
        let request = Request::get("shop.example.com", "/");
        assert_eq!(client.exchange(&request).unwrap().status, 200, "{name}");
        let before = canary.requests();
        let answer = client.exchange(&request.header("x-beta", "1")).unwrap();
        let reached = canary.requests() > before;
        assert_eq!((answer.status, reached), (if goes { 200 } else { 404 }, goes), "{name}");
    }
}

/// A rule and a split that send `x-beta` to an authority.
fn policies(authority: &str) -> [(&'static str, Value); 2] {
    [
        (
            "header-router",
            json!({ "trust": "mesh", "rules": [ { "name": "beta", "matches": [ { "headers": { "x-beta": { "present": true } } } ],
                "route": { "authority": authority } } ] }),
        ),
        (
            "canary-split",
            json!({ "trust": "mesh", "splits": [ { "name": "beta", "matches": [ { "headers": { "x-beta": { "present": true } } } ],
                "key": [ { "header": "u" } ], "onMissingKey": "canary", "guard": { "passive": false },
                "backends": [ { "name": "stable", "baseline": true },
                              { "name": "canary", "authority": authority, "weight": 100 } ] } ] }),
        ),
    ]
}

/// A waypoint has one virtual host for every name: the service itself gets the request.
#[test]
fn a_waypoint_sends_every_host_to_its_own_service() {
    let [stable, canary] =
        ["stable", "canary"].map(|name| Echo::start(name, EchoOptions::default()).unwrap());
    let own = json!({ "name": "inbound|http|8080", "domains": ["*"], "routes": [
        { "match": { "prefix": "/", "headers": [ { "name": "x-narrows-route", "string_match": { "exact": "stock-canary" } } ] },
          "route": { "cluster": "canary" } },
        cluster_route("stable") ] });
    let table = json!({ "name": "inbound", "virtual_hosts": [own] });
    for (destination, host, moved, codes) in [
        (json!({ "authority": "stock-canary" }), "stock-canary:8080", false, &["NRW623"][..]),
        (json!({ "to": "stock-canary" }), "stock:8080", true, &[]),
    ] {
        let mut canary_backend = json!({ "name": "canary", "weight": 100 });
        canary_backend.as_object_mut().unwrap().extend(destination.as_object().unwrap().clone());
        let policy = json!({ "trust": "mesh", "splits": [ { "name": "stock", "service": "stock.shop", "key": [ { "header": "u" } ], "onMissingKey": "canary",
            "guard": { "passive": false }, "backends": [ { "name": "stable", "baseline": true }, canary_backend ] } ] });
        let plugin = render("canary-split", &policy.to_string(), None, None);
        let target = "  targetRefs: [{ group: \"\", kind: Service, name: stock }]\n";
        let text = plugin.replace("  selector:\n    matchLabels:\n      istio: ingressgateway\n", target);
        assert!(text.contains("targetRefs"), "{text}");
        let checked = lint::check(SourceFile { path: String::new(), text }, &Options::default());
        let found: Vec<_> = checked.findings.iter().map(|finding| finding.code.id).collect();
        assert_eq!(found, codes, "{destination}");

        let start = bootstrap(
            &[listener("waypoint", &Chain::of(&plugin).filters(None, &[]), &table)],
            &[static_cluster("stable", stable.addr(), false), static_cluster("canary", canary.addr(), false)],
        );
        let envoy = Envoy::start(start, EnvoyOptions::named("waypoint")).unwrap();
        let mut client = Client::connect(Protocol::Http1, envoy.listener("waypoint").unwrap()).unwrap();
        assert_eq!(client.exchange(&Request::get("stock:8080", "/")).unwrap().status, 200);
        let served = if moved { &canary } else { &stable };
        assert_eq!((served.requests(), served.last().unwrap().authority), (1, host.to_owned()));
    }
}
