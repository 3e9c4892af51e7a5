//! The two kinds of port, with the policies and the route that Bob's Books ships: one that
//! Istio knows to be HTTP, and one that it has to sniff, with one virtual host `*`, so that a
//! rewritten authority leads nowhere else. And what a client may say.

use narrows_harness::bootstrap::{read_yaml, static_cluster};
use narrows_harness::echo::Received;
use narrows_harness::envoy::Envoy;
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_harness::workspace;
use serde_json::{Value, json};

use narrows_tests::books::{
    Books, CANARY, Oracle, STOCK, allow_any, app, ask, filter, policy, route, routes, series, users,
};

/// The service as the front end calls it, and as the canary is called.
const SERVICE: &str = "bobbys-helidon-stock-application";
const HOST: &str = "bobbys-helidon-stock-application:8080";
const CANARY_HOST: &str = "bobbys-helidon-stock-application-canary:8080";
/// One user in ten is the canary's.
const USERS: usize = 300;

#[test]
fn a_declared_port_needs_no_route() -> anyhow::Result<()> {
    let books = shop()?;
    let policy = example("policy.yaml")?;
    let envoy = books.sidecar(filter(&policy)?, &declared())?;
    let users = users(USERS);
    let oracle = Oracle::of(&policy, HOST, &users);
    let mut canaries = 0;
    for user in &users {
        let response = call(&envoy, user)?;
        let is_canary = oracle.backend(user) == "canary";
        assert_eq!(app(&response)?, oracle.backend(user), "{user}");
        let host = Received::from_response(&response)?.authority;
        assert_eq!(host, if is_canary { CANARY_HOST } else { HOST });
        canaries += u64::from(is_canary);
    }
    assert!(canaries > 10, "{canaries}");
    envoy.wait_for_stat(&requests(), |count| count == canaries)?;
    assert_eq!(envoy.stat(&series("mismatch_total"))?, 0);
    Ok(())
}

#[test]
fn a_sniffed_port_is_noticed() -> anyhow::Result<()> {
    let books = shop()?;
    let policy = example("policy.yaml")?;
    // Istio's name of the cluster says it; of any other name, the baseline's.
    for cluster in [&*outbound(SERVICE), "stock"] {
        let envoy = books.sidecar(filter(&policy)?, &sniffed(&[route(cluster)]))?;
        let mut users = users(USERS);
        let oracle = Oracle::of(&policy, HOST, &users);
        // Each worker has seen where the baseline's requests go.
        users.sort_by_key(|user| oracle.backend(user) == "canary");
        let mut rewritten = 0;
        for user in &users {
            let response = call(&envoy, user)?;
            assert_eq!(app(&response)?, "stable", "no route looks at the authority");
            let host = Received::from_response(&response)?.authority;
            let is_canary = oracle.backend(user) == "canary";
            assert_eq!(host, if is_canary { CANARY_HOST } else { HOST }, "the nasty half");
            rewritten += u64::from(is_canary);
        }
        assert!(rewritten > 10);
        envoy.wait_for_stat(&series("mismatch_total"), |count| count == rewritten)?;
        assert_eq!(envoy.stat(&series("guard"))?, 0, "it is served, so it is not switched off");
    }
    Ok(())
}

#[test]
fn a_route_by_header_works_on_either_port() -> anyhow::Result<()> {
    let policy = example("policy-sniffed-port.yaml")?;
    let by_header = virtual_service()?;
    let mut declared = declared();
    declared["virtual_hosts"][0]["routes"] = json!(by_header);
    for routes in [sniffed(&by_header), declared] {
        let books = shop()?;
        let envoy = books.sidecar(filter(&policy)?, &routes)?;
        let users = users(USERS);
        let oracle = Oracle::of(&policy, HOST, &users);
        for user in &users {
            let response = call(&envoy, user)?;
            assert_eq!(app(&response)?, oracle.backend(user), "{user}");
            assert_eq!(Received::from_response(&response)?.authority, HOST);
        }
        let served = books.canary.requests();
        assert!(served > 10, "{served}");
        envoy.wait_for_stat(&requests(), |count| count == served)?;
        assert_eq!(envoy.stat(&series("mismatch_total"))?, 0);
    }
    Ok(())
}

/// A file of the example, as it is shipped.
fn example(file: &str) -> anyhow::Result<Value> {
    read_yaml(&workspace().join("examples/bobs-books").join(file))
}

/// The applications under the names that Istio gives their clusters, and the stable one
/// under a name that says nothing.
fn shop() -> anyhow::Result<Books> {
    let books = Books::new()?;
    let canary = outbound(&format!("{SERVICE}-canary"));
    books.clusters(&[
        static_cluster(&outbound(SERVICE), books.stable.addr(), false),
        static_cluster(&canary, books.canary.addr(), false),
        static_cluster("stock", books.stable.addr(), false),
    ])?;
    Ok(books)
}

fn outbound(service: &str) -> String {
    format!("outbound|8080||{service}.bobs-books.svc.cluster.local")
}

/// Istio's routes for port 8080, declared as HTTP: a virtual host for each service.
fn declared() -> Value {
    let mut table = routes(&allow_any());
    for (place, name) in [SERVICE.to_owned(), format!("{SERVICE}-canary")].iter().enumerate() {
        let domains =
            [name.clone(), format!("{name}.bobs-books"), format!("{name}.bobs-books.svc.cluster.local")];
        table["virtual_hosts"][place]["domains"] = json!(domains);
        table["virtual_hosts"][place]["routes"] = json!([route(&outbound(name))]);
    }
    table
}

/// Istio's routes for a port that does not say its protocol: one virtual host for all.
fn sniffed(routes: &[Value]) -> Value {
    json!({
        "name": format!("{SERVICE}.bobs-books.svc.cluster.local:8080"),
        "validate_clusters": false,
        "virtual_hosts": [{ "name": "sniffed", "domains": ["*"], "routes": routes }],
    })
}

/// The example's `VirtualService` as the routes that istiod makes of it.
fn virtual_service() -> anyhow::Result<Vec<Value>> {
    let resource = example("istio/virtualservice-sniffed-port.yaml")?;
    let rules = resource["spec"]["http"].as_array().cloned().unwrap_or_default();
    anyhow::ensure!(rules.len() == 2, "the route by header, and the rest");
    let routes = rules.iter().map(|rule| {
        let destination = &rule["route"][0]["destination"];
        assert_eq!(destination["port"]["number"], 8080);
        let mut made = route(&outbound(destination["host"].as_str().unwrap_or_default()));
        let headers = rule["match"][0]["headers"].as_object();
        made["match"]["headers"] = headers
            .into_iter()
            .flatten()
            .map(|(name, matcher)| json!({ "name": name, "string_match": matcher }))
            .collect();
        made
    });
    Ok(routes.collect())
}

fn call(envoy: &Envoy, user: &str) -> anyhow::Result<Response> {
    let request = Request::get(HOST, "/books").header("x-user-id", user);
    http1::exchange(envoy.listener("http")?, &request)
}

fn requests() -> String {
    let labels = "split=.=stock;.;backend=.=canary;.;code_class=.=2xx;.;";
    format!("wasmcustom.{labels}narrows_split_requests_total")
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
