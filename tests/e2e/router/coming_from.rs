//! COMING-FROM.md: does the first rule do what Envoy does with the routes that Istio makes of the
//! `VirtualService` above it?

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_harness::root;
use narrows_tests::entry;
use serde_json::{Value, json};

/// The route of one `match`: what Istio 1.27 writes for it, but for the names of clusters.
fn route(header: &Value) -> Value {
    json!({
        "match": { "prefix": "/api", "headers": [header] },
        "route": { "cluster": "v2", "prefix_rewrite": "/v2/api" },
        "request_headers_to_add": [{ "header": { "key": "x-lane", "value": "beta" },
                                     "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" }],
    })
}

#[test]
fn the_rule_beside_a_virtual_service_does_the_same() {
    let document = root().join("filters/header-router/COMING-FROM.md");
    let text = std::fs::read_to_string(document).unwrap();
    let rule = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let policy = format!(r#"{{ "rules": [{rule}] }}"#);
    let cookie = "(.*; )?beta=1(;.*)?";
    assert!(text.contains(cookie), "the document's expression has changed");

    let [v1, v2] = ["v1", "v2"].map(|name| Echo::start(name, EchoOptions::default()).unwrap());
    let beta = json!({ "name": "x-user-group", "string_match": { "exact": "beta" } });
    let by_cookie = json!({ "name": "cookie", "string_match": { "safe_regex": { "regex": cookie } } });
    let theirs = [route(&beta), route(&by_cookie), cluster_route("v1")];
    let mut to_v2 = cluster_route("v2");
    to_v2["match"]["headers"] =
        json!([{ "name": "x-narrows-route", "string_match": { "exact": "reviews-v2" } }]);
    let ours = [to_v2, cluster_route("v1")];
    let filter = entry("header-router", &policy);
    let start = bootstrap(
        &[listener("theirs", &[], &route_config(&theirs)), listener("ours", &[filter], &route_config(&ours))],
        &[static_cluster("v1", v1.addr(), false), static_cluster("v2", v2.addr(), false)],
    );
    let envoy = Envoy::start(start, EnvoyOptions::named("coming-from")).unwrap();
    let mut clients = ["theirs", "ours"]
        .map(|name| Client::connect(Protocol::Http1, envoy.listener(name).unwrap()).unwrap());
    let mut rewritten = 0;
    for target in ["/api", "/api/", "/api/x?a=/api", "/apix", "/API", "/", "/other/api", "/api%2Fx", "/api?"]
    {
        for lines in [
            &[][..],
            &[("x-user-group", "beta")],
            &[("x-user-group", "beta"), ("x-lane", "gold")],
            &[("x-user-group", "Beta")],
            &[("cookie", "beta=1")],
            &[("cookie", "a=b; beta=1; c=d")],
            &[("cookie", "alphabeta=1")],
            &[("cookie", "beta=12")],
        ] {
            let request =
                lines.iter().fold(Request::get("shop", target), |r, (name, value)| r.header(name, value));
            let seen = clients.each_mut().map(|client| {
                let before = v2.requests();
                assert_eq!(client.exchange(&request).unwrap().status, 200);
                let is_v2 = v2.requests() > before;
                let last = if is_v2 { v2.last() } else { v1.last() }.unwrap();
                (is_v2, last.target, last.authority, last.headers.text("x-lane"))
            });
            assert_eq!(seen[0], seen[1], "{target} {lines:?}");
            rewritten += u32::from(seen[0].0);
        }
    }
    assert_eq!(rewritten, 6 * 4);
}
