//! A port that Istio has to sniff: one virtual host `*`, so that a rewritten authority
//! leads nowhere else. And what a client may say.

use narrows_testkit::echo::Received;
use narrows_testkit::envoy::Envoy;
use narrows_testkit::http1;
use narrows_testkit::message::Request;
use serde_json::{Value, json};

use crate::books::{
    Books, CANARY, Oracle, STABLE, STOCK, allow_any, app, ask, filter, policy, route, routes, series, users,
};

#[test]
fn a_sniffed_port_is_noticed() -> anyhow::Result<()> {
    let books = Books::new()?;
    // Istio's name of the cluster says it; of any other name, the baseline's.
    for cluster in [STABLE, "stock"] {
        let policy = policy(50, &json!({}));
        let sniffed = json!({
            "name": "stock.books.svc.cluster.local:8080",
        "validate_clusters": false,
            "virtual_hosts": [{ "name": "sniffed", "domains": ["*"], "routes": [route(cluster)] }],
        });
        books.clusters(&[books.canary_cluster(), named("stock", &books)])?;
        let envoy = books.sidecar(filter(&policy)?, &sniffed)?;
        let mut users = users(60);
        let oracle = Oracle::new(&policy, &users);
        // Each worker has seen where the baseline's requests go.
        users.sort_by_key(|user| oracle.backend(user) == "canary");
        let mut rewritten = 0;
        for user in &users {
            let response = ask(&envoy, user)?;
            assert_eq!(app(&response)?, "stable", "no route looks at the authority");
            let host = Received::from_response(&response)?.authority;
            let is_canary = oracle.backend(user) == "canary";
            assert_eq!(host, if is_canary { "stock-canary:8080" } else { STOCK }, "the nasty half");
            rewritten += u64::from(is_canary);
        }
        assert!(rewritten > 10);
        envoy.wait_for_stat(&series("mismatch_total"), |count| count == rewritten)?;
        assert_eq!(envoy.stat(&series("guard"))?, 0, "it is served, so it is not switched off");
    }
    Ok(())
}

#[test]
fn a_route_by_header_works_on_a_sniffed_port() -> anyhow::Result<()> {
    let books = Books::new()?;
    let mut policy = policy(50, &json!({}));
    policy["splits"][0]["backends"][1] =
        json!({ "name": "canary", "to": "stock-canary", "cluster": CANARY, "weight": 50 });
    let by_header = json!({
        "match": { "prefix": "/", "headers": [
            { "name": "x-narrows-route", "string_match": { "exact": "stock-canary" } }] },
        "route": { "cluster": CANARY },
    });
    let sniffed = json!({
        "name": "stock.books.svc.cluster.local:8080",
        "validate_clusters": false,
        "virtual_hosts": [{ "name": "sniffed", "domains": ["*"], "routes": [by_header, route(STABLE)] }],
    });
    let envoy = books.sidecar(filter(&policy)?, &sniffed)?;
    let users = users(60);
    let oracle = Oracle::new(&policy, &users);
    for user in &users {
        let response = ask(&envoy, user)?;
        assert_eq!(app(&response)?, oracle.backend(user), "{user}");
        assert_eq!(Received::from_response(&response)?.authority, STOCK);
    }
    let requests = format!(
        "wasmcustom.split=.=stock;.;backend=.=canary;.;code_class=.=2xx;.;{}",
        "narrows_split_requests_total"
    );
    envoy.wait_for_stat(&requests, |count| count == books.canary.requests())?;
    assert_eq!(envoy.stat(&series("mismatch_total"))?, 0);
    Ok(())
}

#[test]
fn only_the_mesh_may_choose() -> anyhow::Result<()> {
    let books = Books::new()?;
    for (trust, chosen) in [("mesh", "canary"), ("edge", "stable")] {
        let mut policy = policy(0, &json!({ "override": { "header": "x-canary" } }));
        policy["trust"] = json!(trust);
        let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
        let choose = |value: &str| -> anyhow::Result<Received> {
            let request = Request::get(STOCK, "/").header("x-canary", value).header("x-narrows-lane", "mine");
            let response = http1::exchange(envoy.listener("http")?, &request)?;
            Received::from_response(&response)
        };
        let received = choose("always")?;
        assert_eq!(received.app, chosen, "trust {trust}");
        assert_eq!(received.headers.contains("x-canary"), trust == "mesh");
        assert_eq!(received.headers.contains("x-narrows-lane"), trust == "mesh");
        assert_eq!(choose("never")?.app, "stable");
        let overrides = u64::from(trust == "mesh");
        envoy.wait_for_stat(&series("override_total"), |count| count == overrides)?;
    }
    Ok(())
}

/// Both sidecars: the caller's splits, the canary's gives the application its host.
#[test]
fn the_application_sees_the_host_that_it_expects() -> anyhow::Result<()> {
    let books = Books::new()?;
    let policy = policy(100, &json!({}));
    let mut inbound = policy.clone();
    inbound["restoreHost"] = json!(true);
    let routes_in = json!({
        "name": "inbound",
        "validate_clusters": false,
        "virtual_hosts": [{ "name": "inbound|8080", "domains": ["*"], "routes": [route(CANARY)] }],
    });
    let server: Envoy = books.sidecar(filter(&inbound)?, &routes_in)?;
    let through = Books::new()?;
    let mut cluster = books.canary_cluster();
    let port = server.listener("http")?.port();
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
        ["port_value"] = json!(port);
    through.clusters(&[cluster])?;
    let client = through.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    let received = Received::from_response(&ask(&client, "user-1")?)?;
    assert_eq!(received.app, "canary");
    assert_eq!(received.authority, STOCK);
    // Nothing else can be brought in that way.
    let forged = Request::get("stock-canary:8080", "/").header("x-forwarded-host", "admin:8080");
    let response = http1::exchange(server.listener("http")?, &forged)?;
    assert_eq!(Received::from_response(&response)?.authority, "stock-canary:8080");
    Ok(())
}

/// The stable application under another name of its cluster.
fn named(name: &str, books: &Books) -> Value {
    narrows_testkit::bootstrap::static_cluster(name, books.stable.addr(), false)
}
