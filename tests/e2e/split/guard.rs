//! A canary that is not there must not cost a request.

use std::time::{Duration, Instant};

use narrows_harness::bootstrap::refusing_filter;
use narrows_harness::echo::Received;
use narrows_harness::envoy::Envoy;
use narrows_harness::{http1, wait};
use serde_json::{Value, json};

use narrows_tests::books::{
    Books, CANARY, STOCK, allow_any, app, ask, by, emptied, filter, policy, routes, series,
};

pub(crate) const SOON: Duration = Duration::from_secs(20);
/// Both workers may lose one request before they have heard of it.
pub(crate) const WORKERS: usize = 2;

#[test]
fn an_unknown_service_passes_through_once_and_then_no_more() -> anyhow::Result<()> {
    let books = Books::new()?;
    let envoy = books.sidecar(filter(&misspelt(&json!({})))?, &routes(&allow_any()))?;
    // Istio lets unknown hosts through to the original address: in plain text.
    let response = ask(&envoy, "user-1")?;
    assert_eq!(Received::from_response(&response)?.authority, "stock-canry:8080");
    trips(&envoy)?;
    let mut lost = 0;
    for user in 0..100 {
        let response = ask(&envoy, &format!("user-{user}"))?;
        lost += usize::from(Received::from_response(&response)?.authority != STOCK);
    }
    assert!(lost < WORKERS, "{lost} more have passed through");
    envoy.wait_for_stat(&series("guarded_total"), |count| count >= 99)?;
    assert_eq!(envoy.stat(&series("guard"))?, 1);
    Ok(())
}

#[test]
fn an_unknown_service_is_blocked_once_and_then_no_more() -> anyhow::Result<()> {
    let books = Books::new()?;
    let block_all = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 502 } });
    let envoy = books.sidecar(filter(&misspelt(&json!({})))?, &routes(&block_all))?;
    loses_and_recovers_nothing(&envoy, 502)
}

#[test]
fn a_route_that_is_not_there() -> anyhow::Result<()> {
    let books = Books::new()?;
    let never = json!({ "match": { "path": "/never" }, "route": { "cluster": CANARY } });
    let envoy = books.sidecar(filter(&misspelt(&json!({})))?, &routes(&never))?;
    loses_and_recovers_nothing(&envoy, 404)
}

#[test]
fn a_cluster_that_is_missing_and_appears_later() -> anyhow::Result<()> {
    let books = Books::new()?;
    books.clusters(&[])?;
    let policy = policy(100, &json!({ "guard": { "cooldown": "1s" } }));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    loses_and_recovers_nothing(&envoy, 503)?;
    books.clusters(&[books.canary_cluster()])?;
    comes_back(&envoy)
}

#[test]
fn a_cluster_that_is_empty_and_fills_later() -> anyhow::Result<()> {
    let books = Books::new()?;
    books.clusters(&[emptied(books.canary_cluster())])?;
    let policy = policy(100, &json!({ "guard": { "cooldown": "1s" } }));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    loses_and_recovers_nothing(&envoy, 503)?;
    books.clusters(&[books.canary_cluster()])?;
    comes_back(&envoy)
}

#[test]
fn hosts_that_are_all_ejected() -> anyhow::Result<()> {
    let books = Books::new()?;
    let mut cluster = books.canary_cluster();
    cluster["common_lb_config"] = json!({ "healthy_panic_threshold": { "value": 0 } });
    cluster["outlier_detection"] = json!({
        "consecutive_5xx": 3, "base_ejection_time": "60s", "interval": "0.5s", "max_ejection_percent": 100 });
    books.clusters(&[cluster])?;
    let policy = policy(100, &json!({ "guard": { "cooldown": "1s" } }));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    assert_eq!(app(&ask(&envoy, "user-1")?)?, "canary");
    books.canary.force_status(Some(500));
    // An application that fails is there: that is for whoever watches its errors.
    for _ in 0..3 {
        assert_eq!(ask(&envoy, "user-1")?.status, 500);
    }
    envoy
        .wait_for_stat(&format!("cluster.{CANARY}.outlier_detection.ejections_active"), |count| count == 1)?;
    assert_eq!(envoy.stat(&series("guard"))?, 0);
    loses_and_recovers_nothing(&envoy, 503)?;
    books.canary.force_status(None);
    books.clusters(&[books.canary_cluster()])?;
    comes_back(&envoy)
}

/// A try that another filter refuses is none: the canary stays off until one gets there.
#[test]
fn a_refusal_of_another_filter_brings_nothing_back() -> anyhow::Result<()> {
    let books = Books::new()?;
    books.clusters(&[])?;
    let policy = policy(100, &json!({ "guard": { "cooldown": "1s" } }));
    let refusing = refusing_filter("x-refused");
    let envoy = books.sidecar_with(&[filter(&policy)?, refusing], &routes(&allow_any()))?;
    loses_and_recovers_nothing(&envoy, 503)?;
    let refused = by("user-1").header("x-refused", "1");
    // Each try counts as one of the canary's: wait for a few of them.
    let tries = format!(
        "wasmcustom.split=.=stock;.;backend=.=canary;.;code_class=.=4xx;.;{}",
        "narrows_split_requests_total"
    );
    wait::until("four tries that are refused", SOON, || {
        assert_eq!(http1::exchange(envoy.listener("http")?, &refused)?.status, 403);
        Ok((envoy.stat(&tries)? >= 4).then_some(()))
    })?;
    assert_eq!(envoy.stat(&series("guard"))?, 1);
    books.clusters(&[books.canary_cluster()])?;
    comes_back(&envoy)
}

#[test]
fn a_guard_that_is_off_lets_requests_fail() -> anyhow::Result<()> {
    let books = Books::new()?;
    books.clusters(&[])?;
    let policy = policy(100, &json!({ "guard": { "passive": false } }));
    let envoy = books.sidecar(filter(&policy)?, &routes(&allow_any()))?;
    for _ in 0..10 {
        assert_eq!(ask(&envoy, "user-1")?.status, 503);
    }
    assert_eq!(envoy.stat(&series("guard"))?, 0);
    envoy.wait_for_stat(&series("mismatch_total"), |count| count == 10)?;
    Ok(())
}

/// A policy whose canary has a name that no Service has.
pub(crate) fn misspelt(more: &Value) -> Value {
    let mut policy = policy(100, more);
    policy["splits"][0]["backends"][1]["authority"] = json!("stock-canry");
    policy
}

pub(crate) fn trips(envoy: &Envoy) -> anyhow::Result<()> {
    envoy.wait_for_stat(&series("guard"), |off| off == 1).map(|_| ())
}

/// All users are of the canary, which is not there: a request for each worker fails,
/// and then nobody's.
fn loses_and_recovers_nothing(envoy: &Envoy, status: u16) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut lost = 0;
    for user in 0..200 {
        let response = ask(envoy, &format!("user-{user}"))?;
        if response.status == 200 {
            assert_eq!(app(&response)?, "stable");
        } else {
            assert_eq!(response.status, status, "{}", response.text());
            lost += 1;
        }
    }
    // A slow machine may see the cooldown end, and tries again.
    let tries = usize::try_from(started.elapsed().as_secs())?;
    assert!((1..=WORKERS * (1 + tries)).contains(&lost), "{lost} of 200 requests failed");
    trips(envoy)
}

/// The canary serves everybody again, by itself.
pub(crate) fn comes_back(envoy: &Envoy) -> anyhow::Result<()> {
    let back = wait::until("the canary to serve again", SOON, || {
        let mut answers = (0..20).map(|user| app(&ask(envoy, &format!("user-{user}"))?));
        Ok(answers.all(|answer| answer.is_ok_and(|app| app == "canary")).then_some(()))
    });
    envoy.context(back)?;
    envoy.wait_for_stat(&series("guard"), |off| off == 0).map(|_| ())
}
