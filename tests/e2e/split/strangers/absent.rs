//! A canary that really is missing, and how it comes back.

use std::time::{Duration, Instant};

use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use narrows_tests::{STRICT, configured};
use serde_json::{Value, json};

use super::shop::{By, HOST, SOON, Shop, at, by_header, hosts, next, route, series, split, table};

const WORKERS: usize = 2;

/// However Envoy says that there is nothing: a request for each worker, and no more.
#[test]
fn a_canary_that_is_missing_is_noticed_by_one_request_of_each_worker() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let weighted = json!({ "match": { "prefix": "/api" }, "route": { "weighted_clusters": { "clusters": [
        { "name": "stable", "weight": 1 }, { "name": "PassthroughCluster", "weight": 0 }] } } });
    let mut named = route("/api", "stable");
    named["name"] = json!("a-name");
    let unknown = hosts(&[(HOST, vec![route("/api", "stable")])]);
    let blocked = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 502 } });
    let rest = |rest: Value| {
        let mut table = unknown.clone();
        let all = json!({ "name": "rest", "domains": ["*"], "routes": [rest] });
        table["virtual_hosts"].as_array_mut().expect("it is a list").push(all);
        table
    };
    for (what, by, routes) in [
        ("no cluster", By::Header, table(&[], "nosuch")),
        ("no cluster", By::Host, table(&[], "nosuch")),
        ("no host in it", By::Header, table(&[], "no-hosts")),
        ("no host in it", By::Host, table(&[], "no-hosts")),
        ("no route", By::Host, unknown.clone()),
        ("passed through", By::Host, rest(route("/", "PassthroughCluster"))),
        ("blocked", By::Host, rest(blocked)),
        (
            "beside weighted clusters",
            By::Header,
            hosts(&[(HOST, vec![by_header("/api", "v2", "nosuch"), weighted])]),
        ),
        (
            "beside a route with a name",
            By::Header,
            hosts(&[(HOST, vec![by_header("/api", "v2", "nosuch"), named])]),
        ),
    ] {
        let envoy = shop.gateway(&[split(&by.policy(&json!({})))], &routes, 2)?;
        let is_lost = |answer: &str| answer != "stable";
        let passes = what == "passed through";
        let mut lost = 0;
        for _ in 0..60 {
            let before = shop.stable.requests();
            let answer = next(&envoy)?;
            // What passes through reaches the same application under the canary's host.
            let is_stray = passes
                && shop.stable.requests() > before
                && shop.stable.last().is_some_and(|last| last.authority.starts_with("canary."));
            lost += usize::from(is_lost(&answer) || is_stray);
        }
        assert!((1..=WORKERS).contains(&lost), "{what}: {by:?}: {lost} of 60 requests were lost");
        envoy.wait_for_stat(&series("guard"), |off| off == 1)?;
    }
    Ok(())
}

/// The canary's Service has one port of two: the other one's failures are its own.
#[test]
fn each_port_by_itself() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let host = |domain: &str, cluster: &str| json!({ "name": domain, "domains": [domain], "routes": [route("/", cluster)] });
    let routes = json!({ "name": "main", "virtual_hosts": [
        host("shop.example.com:8080", "stable"),
        host("shop.example.com:9090", "stable"),
        host("canary.example.com:8080", "canary"),
    ] });
    let envoy = shop.gateway(&[split(&By::Host.policy(&json!({})))], &routes, 2)?;
    let mut lost = 0;
    for _ in 0..40 {
        lost += usize::from(at(&envoy, "shop.example.com:9090", "/")? != "stable");
        assert_eq!(at(&envoy, "shop.example.com:8080", "/")?, "canary");
    }
    assert!((1..=WORKERS).contains(&lost), "{lost}");
    envoy.wait_for_stat(&series("guard"), |off| off == 1)?;
    Ok(())
}

/// A good probe has the last word: the path that failed is not the canary's.
#[test]
fn a_good_probe_ends_what_a_request_found() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let routes =
        hosts(&[(HOST, vec![route("/", "stable")]), ("canary.example.com", vec![route("/api", "canary")])]);
    let policy = By::Host.policy(&json!({ "guard": { "cluster": "canary", "every": "1s" } }));
    let envoy = shop.gateway(&[split(&policy)], &routes, 2)?;
    assert_eq!(next(&envoy)?, "canary");
    let began = Instant::now();
    assert_eq!(at(&envoy, HOST, "/only-of-the-stable-one")?, "404");
    wait::until("the canary to serve everybody", SOON, || {
        let mut answers = (0..20).map(|_| next(&envoy));
        Ok(answers.all(|app| app.is_ok_and(|app| app == "canary")).then_some(()))
    })?;
    envoy.wait_for_stat(&series("guard"), |off| off == 0)?;
    assert!(began.elapsed() < Duration::from_secs(25), "the cooldown would have been over too");
    Ok(())
}

/// A push that mends the destination acts at once, though the cooldown is half a minute.
#[test]
fn a_push_that_changes_the_destination_clears_it() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let directory = TempDir::new("narrows-guard")?;
    let ecds = Ecds::new(directory.path(), "canary-split")?;
    let config = |host: &str, salt: &str| {
        let mut policy = By::Host.policy(&json!({ "salt": salt }));
        policy["splits"][0]["backends"][1]["authority"] = json!(host);
        configured("canary-split", &policy.to_string(), STRICT)
    };
    ecds.push(&config("canari.example.com", "a"))?;
    let listener = listener("main", &[ecds.filter_entry(&[WASM])], &table(&[], "canary"));
    let clusters = [
        static_cluster("stable", shop.stable.addr(), false),
        static_cluster("canary", shop.canary.addr(), false),
    ];
    let options = EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("guard") };
    let envoy = Envoy::start(bootstrap(&[listener], &clusters), options)?;
    assert_eq!(next(&envoy)?, "404");
    envoy.wait_for_stat(&series("guard"), |off| off == 1)?;
    // Something else: it stays as it is.
    assert!(ecds.push_to(&envoy, &config("canari.example.com", "b"))?);
    let lost = (0..40).map(|_| next(&envoy)).filter(|app| app.as_ref().is_ok_and(|app| app != "stable"));
    assert!(lost.count() < WORKERS, "only the worker that had not heard of it");
    assert_eq!(envoy.stat(&series("guard"))?, 1);
    assert!(ecds.push_to(&envoy, &config("canary.example.com", "b"))?);
    for user in 0..40 {
        assert_eq!(next(&envoy)?, "canary", "user {user}");
    }
    assert_eq!(envoy.stat(&series("guard"))?, 0);
    Ok(())
}

/// Where the policy names the cluster, another one that answers in its place is an absence:
/// Istio's `egressProxy` takes every host that no route knows.
#[test]
fn a_gateway_that_takes_what_is_unknown() -> anyhow::Result<()> {
    let shop = Shop::new()?;
    let everything = json!({ "name": "rest", "domains": ["*"], "routes": [route("/", "canary")] });
    for named in [true, false] {
        let mut routes = hosts(&[(HOST, vec![route("/", "stable")])]);
        routes["virtual_hosts"].as_array_mut().expect("it is a list").push(everything.clone());
        let mut policy = By::Host.policy(&json!({}));
        if named {
            policy["splits"][0]["backends"][1]["cluster"] = json!("shop-canary");
        }
        // The echo that is called `canary` here is the egress gateway.
        let envoy = shop.gateway(&[split(&policy)], &routes, 1)?;
        assert_eq!(next(&envoy)?, "canary");
        assert_eq!(next(&envoy)?, if named { "stable" } else { "canary" });
        assert_eq!(envoy.stat(&series("guard"))?, u64::from(named));
    }
    Ok(())
}
