//! `to` with a route for it, and without.

use narrows_harness::echo::Received;
use serde_json::json;

use narrows_tests::books::{
    Books, CANARY, Oracle, STABLE, allow_any, app, ask, filter, policy, route, routes, series, users,
};

/// No route matches the route header: the stable application serves everybody, and nothing
/// but the cluster tells.
#[test]
fn a_missing_route_by_header_is_noticed() -> anyhow::Result<()> {
    let books = Books::new()?;
    let mut policy = policy(50, &json!({}));
    policy["splits"][0]["backends"][1] = json!({ "name": "canary", "to": "stock-canary", "weight": 50 });
    let by_header = json!({
        "match": { "prefix": "/", "headers": [
            { "name": "x-narrows-route", "string_match": { "exact": "stock-canary" } }] },
        "route": { "cluster": CANARY },
    });
    let mut with_route = routes(&allow_any());
    with_route["virtual_hosts"][0]["routes"] = json!([by_header, route(STABLE)]);
    let mut users = users(60);
    let oracle = Oracle::new(&policy, &users);
    // Each worker has seen where the baseline's requests go.
    users.sort_by_key(|user| oracle.backend(user) == "canary");
    let chosen = users.iter().filter(|user| oracle.backend(user) == "canary").count();
    for (routes, mismatches) in [(with_route, 0), (routes(&allow_any()), chosen)] {
        let envoy = books.sidecar(filter(&policy)?, &routes)?;
        for user in &users {
            let response = ask(&envoy, user)?;
            let is_canary = oracle.backend(user) == "canary";
            let lands = if is_canary && mismatches == 0 { "canary" } else { "stable" };
            assert_eq!(app(&response)?, lands, "{user}");
            let sent = Received::from_response(&response)?.headers.contains("x-narrows-route");
            assert_eq!(sent, is_canary);
        }
        let requests = "wasmcustom.split=.=stock;.;backend=.=canary;.;code_class=.=2xx;.;\
                        narrows_split_requests_total";
        envoy.wait_for_stat(requests, |count| count == chosen as u64)?;
        assert_eq!(envoy.stat(&series("mismatch_total"))?, mismatches as u64);
        assert_eq!(envoy.stat(&series("guard"))?, 0, "it is served, so it is not switched off");
    }
    assert!(chosen > 10);
    Ok(())
}
