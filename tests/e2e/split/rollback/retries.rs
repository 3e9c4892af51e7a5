//! A canary whose first tries fail, and whose failures Envoy's retries hide.

use std::time::Duration;

use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, minor};
use narrows_tests::books::{Books, CANARY, Oracle, allow_any, by, filter, routes, series, users};
use serde_json::{Value, json};

use super::rig::{Chance, USERS, policy};

/// Requests of the canary, more than twice as many as the table in the README has for 20 % of errors.
const REQUESTS: usize = 500;
/// Of a canary with a fifth of the users.
const WEIGHT: u32 = 20;
/// Connections, to both workers.
const CONNECTIONS: usize = 6;

#[test]
fn a_retry_that_serves_hides_a_failure_unless_the_policy_says_so() -> anyhow::Result<()> {
    for retries in [false, true] {
        let (envoy, oracle, users, _applications) = sidecar(retries)?;
        let served = ask(&envoy, &oracle, &users)?;
        let retried = envoy.stat(&format!("cluster.{CANARY}.upstream_rq_retry_success"))?;
        println!("retries {retries}: {served} requests of the canary, {retried} of them by a retry");
        anyhow::ensure!(retried > 20, "{retried} of {served} were served by a retry");
        // Older ones do not say how often they have tried.
        if retries && minor()? >= 33 {
            envoy.wait_for_stat(&series("rollback_state"), |state| state == 4)?;
            envoy.wait_for_log("switched off, by errors")?;
        } else {
            let state = envoy.stat(&series("rollback_state"))?;
            anyhow::ensure!(state < 2, "retries {retries}: state {state}\n{}", envoy.log());
        }
    }
    Ok(())
}

/// A sidecar, whose canary has a host that fails and one that serves, and which tries the other then.
fn sidecar(retries: bool) -> anyhow::Result<(Envoy, Oracle, Vec<String>, (Books, Echo))> {
    let books = Books::new()?;
    let broken = Echo::start("canary", EchoOptions { status: Some(503), ..EchoOptions::default() })?;
    let mut cluster = books.canary_cluster();
    let hosts = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"];
    let mut host = hosts[0].clone();
    host["endpoint"]["address"]["socket_address"]["port_value"] = json!(broken.addr().port());
    hosts.as_array_mut().into_iter().for_each(|hosts| hosts.push(host.clone()));
    books.clusters(&[cluster])?;
    let mut routes = routes(&allow_any());
    routes["virtual_hosts"][1]["routes"][0]["route"]["retry_policy"] = elsewhere();
    let policy = policy(WEIGHT, &json!({ "errors": "enforce", "retries": retries }));
    let envoy = books.sidecar(filter(&policy)?, &routes)?;
    let users = users(USERS);
    Ok((envoy, Oracle::new(&policy, &users), users, (books, broken)))
}

/// A second try, of another host.
fn elsewhere() -> Value {
    json!({
        "retry_on": "5xx",
        "num_retries": 2,
        "retry_back_off": { "base_interval": "0.001s" },
        "host_selection_retry_max_attempts": "5",
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            },
        }],
    })
}

/// Asks until the canary has had so many requests, or is off. Nobody meets a failure. Returns how many it had.
fn ask(envoy: &Envoy, oracle: &Oracle, users: &[String]) -> anyhow::Result<usize> {
    let address = envoy.listener("http")?;
    let connect = |_| Client::connect(Protocol::Http1, address);
    let mut clients = (0..CONNECTIONS).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut chance, mut served) = (Chance::new(), 0);
    for number in 0.. {
        let user = &users[usize::try_from(chance.below(USERS as u64))?];
        let answer = envoy.context(clients[number % CONNECTIONS].exchange(&by(user)))?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        served += usize::from(answer.headers.text("x-app").as_deref() == Some("canary"));
        let is_canary = oracle.backend(user) == "canary";
        let is_off = is_canary && answer.headers.text("x-app").as_deref() != Some("canary");
        if is_off || served >= REQUESTS {
            break;
        }
    }
    // The tick in which the last requests count.
    std::thread::sleep(Duration::from_secs(2));
    Ok(served)
}
