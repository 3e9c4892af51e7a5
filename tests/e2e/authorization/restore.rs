//! Does authorization judge the host that `restoreHost` brings back?

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, native_filter, route_config, static_cluster,
};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use serde_json::json;

use super::istio::{Chain, render};

const POLICY: &str = r#"{ "trust": "mesh", "restoreHost": true, "splits": [ { "name": "stock", "service": "stock.shop",
    "key": [ { "header": "x-user-id" } ],
    "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "authority": "stock-canary", "weight": 50 } ] } ] }"#;

#[test]
fn the_host_comes_back_before_authorization() {
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let hosts = ["stock", "stock:8080", "stock.shop.svc.cluster.local:8080"];
    let hosts: Vec<_> = hosts
        .iter()
        .map(|host| json!({ "header": { "name": ":authority", "string_match": { "exact": host, "ignore_case": true } } }))
        .collect();
    let rbac = native_filter(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        json!({ "rules": { "action": "ALLOW", "policies": { "ns[shop]-policy[stock]-rule[0]": {
            "permissions": [ { "and_rules": { "rules": [ { "or_rules": { "rules": hosts } } ] } } ],
            "principals": [ { "and_ids": { "ids": [ { "any": true } ] } } ] } } } }),
    );
    let routes = route_config(&[cluster_route("echo")]);
    let chain = |phase| {
        Chain::of(&render("canary-split", POLICY, Some("SERVER"), phase))
            .filters(None, std::slice::from_ref(&rbac))
    };
    let start = bootstrap(
        &[
            listener("rendered", &chain(None), &routes),
            listener("behind", &chain(Some("STATS")), &routes),
            // As CUSTOM runs, before every phase: it sees the canary's host.
            listener("custom", &[vec![rbac.clone()], chain(None)].concat(), &routes),
            listener("none", std::slice::from_ref(&rbac), &routes),
        ],
        &[static_cluster("echo", echo.addr(), false)],
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("restore")).unwrap();
    let canary = Request::get("stock-canary:8080", "/").header("x-forwarded-host", "stock:8080");
    let forged = Request::get("stock-canary:8080", "/").header("x-forwarded-host", "bank:8080");
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (name, expected) in [("rendered", 200), ("behind", 403), ("custom", 403), ("none", 403)] {
            let mut client = Client::connect(protocol, envoy.listener(name).unwrap()).unwrap();
            assert_eq!(client.exchange(&canary).unwrap().status, expected, "{name}");
            // No other host can be brought in that way.
            assert_eq!(client.exchange(&forged).unwrap().status, 403, "{name}");
            let own = client.exchange(&Request::get("stock:8080", "/")).unwrap();
            assert_eq!((own.status, &*echo.last().unwrap().authority), (200, "stock:8080"), "{name}");
        }
    }
    let mut client = Client::connect(Protocol::Http1, envoy.listener("rendered").unwrap()).unwrap();
    client.exchange(&canary).unwrap();
    assert_eq!(echo.last().unwrap().authority, "stock:8080");
}
