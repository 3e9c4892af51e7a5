//! Does a name that one filter strips stay stripped when another has written it?

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_tests::{Bench, entry};
use serde_json::json;

/// The first writes what the second strips.
const CHAIN: [(&str, &str); 2] = [
    (
        "header-router",
        r#"{ "rules": [ { "name": "beta", "matches": [ { "headers": { "x-user-group": { "exact": "beta" } } } ],
             "requestHeaders": { "set": { "x-lane": "beta" }, "add": { "x-tag": "beta" } } } ] }"#,
    ),
    (
        "canary-split",
        r#"{ "strip": ["x-lane", "x-tag"], "splits": [ { "name": "s", "key": [ { "header": "x-user" } ],
             "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 0 } ] } ] }"#,
    ),
];

#[test]
fn what_an_earlier_filter_wrote_stays_and_no_other_spelling_does() {
    let bench = Bench::of(&CHAIN).named("spelling").start().unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut client = bench.client(protocol).unwrap();
        let mut seen = |request: Request| {
            assert_eq!(client.exchange(&request).unwrap().status, 200);
            let last = bench.echo.last().unwrap();
            ["x-lane", "x_lane", "x-tag", "x_tag"].map(|name| last.headers.text(name).unwrap_or_default())
        };
        let beta = || Request::get("shop", "/").header("x-user-group", "beta");
        // What stands beside nothing of the client's could be kept; but what may stand beside
        // something is not told apart, so an added value goes with the client's.
        assert_eq!(seen(beta()), ["beta", "", "", ""]);
        let forged = |request: Request| {
            ["x-lane", "x_lane", "X_Lane", "x-tag", "x_tag"]
                .iter()
                .filter(|name| protocol == Protocol::Http1 || **name != "X_Lane")
                .fold(request, |request, name| request.header(name, "gold"))
        };
        assert_eq!(seen(forged(beta())), ["beta", "", "", ""]);
        assert_eq!(seen(forged(Request::get("shop", "/"))), [""; 4]);
        // Written or not: what the client says already is the filter's from then on.
        assert_eq!(seen(beta().header("x-lane", "beta")), ["beta", "", "", ""]);
    }
}

/// Under `trust: mesh` a filter strips nothing, and one behind it that strips must know what
/// is the mesh's own: here the route to the canary.
#[test]
fn what_a_filter_of_the_mesh_wrote_stays_too() {
    let apps = ["stable", "canary"].map(|name| Echo::start(name, EchoOptions::default()).unwrap());
    let chain = [
        (
            "header-router",
            r#"{ "trust": "mesh", "rules": [ { "name": "all", "requestHeaders": { "set": { "x-narrows-lane": "gold" } } } ] }"#,
        ),
        (
            "canary-split",
            r#"{ "trust": "mesh", "splits": [ { "name": "s", "key": [ { "header": "x-user" } ],
                 "backends": [ { "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 100 } ] } ] }"#,
        ),
        ("metric-tags", r#"{ "metrics": [ { "name": "m", "type": "counter", "tags": [] } ] }"#),
    ];
    let filters = chain.map(|(filter, policy)| entry(filter, policy));
    let mut to_canary = cluster_route("canary");
    to_canary["match"]["headers"] =
        json!([{ "name": "x-narrows-route", "string_match": { "exact": "canary" } }]);
    let start = bootstrap(
        &[listener("main", &filters, &route_config(&[to_canary, cluster_route("stable")]))],
        &["stable", "canary"]
            .into_iter()
            .zip(&apps)
            .map(|(name, app)| static_cluster(name, app.addr(), false))
            .collect::<Vec<_>>(),
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("mesh-then-edge")).unwrap();
    let mut client = Client::connect(Protocol::Http1, envoy.listener("main").unwrap()).unwrap();
    let request = Request::get("shop", "/").header("x-user", "u").header("x-narrows-forged", "1");
    assert_eq!(client.exchange(&request).unwrap().status, 200);
    let seen = apps[1].last().expect("the canary was asked");
    assert_eq!(seen.headers.text("x-narrows-lane").as_deref(), Some("gold"));
    assert!(!seen.headers.contains("x-narrows-forged"), "the last filter is at the edge");
}
