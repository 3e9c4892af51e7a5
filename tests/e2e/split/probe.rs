//! A canary that Envoy is asked about on a timer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use narrows_harness::bootstrap::static_cluster;
use narrows_harness::envoy::Envoy;
use narrows_harness::wait;
use serde_json::{Value, json};

use super::guard::{SOON, WORKERS, comes_back, misspelt, trips};
use narrows_tests::books::{Books, CANARY, allow_any, app, ask, emptied, filter, policy, routes, series};

#[test]
fn a_probe_knows_at_once() -> anyhow::Result<()> {
    for empty in [false, true] {
        let books = Books::new()?;
        let absent = if empty { vec![emptied(books.canary_cluster())] } else { Vec::new() };
        books.clusters(&absent)?;
        let envoy = books.sidecar(filter(&policy(100, &probing()))?, &routes(&allow_any()))?;
        trips(&envoy)?;
        let lost = all_are_served(&envoy)?;
        assert!(lost <= WORKERS, "{lost} requests were lost");
        assert_eq!(books.canary.requests(), 0);

        books.clusters(&[books.canary_cluster()])?;
        comes_back(&envoy)?;
        // A slow machine asks later, never more often: three VMs would need two seconds.
        let (before, since) = (books.canary.requests(), Instant::now());
        wait::until("six probes", SOON, || Ok((books.canary.requests() >= before + 6).then_some(())))?;
        assert!(since.elapsed() > Duration::from_secs(3), "six probes in {:?}", since.elapsed());
        let probe = books.canary.last().expect("it has been probed");
        assert_eq!(probe.target, "/healthz");
        assert_eq!(probe.authority, "stock-canary.books.svc.cluster.local");

        // It answers that it cannot. Requests find it there until their worker has heard.
        books.canary.force_status(Some(503));
        trips(&envoy)?;
        all_are_served(&envoy)?;
        books.canary.force_status(None);
        comes_back(&envoy)?;
    }
    Ok(())
}

/// The connection closes in the middle of the answer: Envoy reports that without headers.
#[test]
fn an_answer_that_breaks_off_is_an_absence() -> anyhow::Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let answers = Arc::new(AtomicUsize::new(0));
    let answered = Arc::clone(&answers);
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            // The probe is short; a request that comes in pieces is cut off all the same.
            let read = stream.read(&mut request);
            let cut = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
            if read.and(cut).is_ok() {
                answered.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let books = Books::new()?;
    books.clusters(&[static_cluster(CANARY, address, false)])?;
    let envoy = books.sidecar(filter(&policy(100, &probing()))?, &routes(&allow_any()))?;
    trips(&envoy)?;
    for round in 2..5 {
        wait::until("the next answer", SOON, || Ok((answers.load(Ordering::SeqCst) >= round).then_some(())))?;
        all_are_served(&envoy)?;
    }
    assert_eq!(envoy.stat(&series("guard"))?, 1);
    assert!(!envoy.log_contains("panicked"), "{}", envoy.log());
    // The VM that asked still does.
    books.clusters(&[books.canary_cluster()])?;
    comes_back(&envoy)
}

/// The cluster that is probed is well, and no route leads to it.
#[test]
fn a_missing_route_costs_each_worker_two_requests_before_the_cooldown() -> anyhow::Result<()> {
    let books = Books::new()?;
    let never = json!({ "match": { "path": "/never" }, "route": { "cluster": CANARY } });
    let envoy = books.sidecar(filter(&misspelt(&probing()))?, &routes(&never))?;
    assert_eq!(ask(&envoy, "user-1")?.status, 404);
    trips(&envoy)?;
    let (before, mut lost) = (books.canary.requests(), 1);
    wait::until("six probes", SOON, || {
        lost += usize::from(ask(&envoy, "user-1")?.status != 200);
        Ok((books.canary.requests() >= before + 6).then_some(()))
    })?;
    // One each, and one more when a good probe has ended that; then no probe ends it.
    assert!(lost <= 2 * WORKERS, "{lost} requests were lost");
    assert_eq!(envoy.stat(&series("guard"))?, 1);
    Ok(())
}

fn probing() -> Value {
    json!({ "guard": { "cluster": CANARY, "every": "1s", "path": "/healthz" } })
}

/// The baseline serves everybody, once both workers have heard; returns how many requests
/// were lost before. (That nobody pays then, the stand-in shows second by second.)
fn all_are_served(envoy: &Envoy) -> anyhow::Result<usize> {
    let mut lost = 0;
    wait::until("a round without a loss", SOON, || {
        let before = lost;
        for user in 0..50 {
            lost += usize::from(app(&ask(envoy, &format!("user-{user}"))?).ok().as_deref() != Some("stable"));
        }
        Ok((lost == before).then_some(()))
    })?;
    Ok(lost)
}
