//! A million traces: the memory of the proxy stays what it was when the table was full.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, listener, route_config};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http2::Connection;
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::json;

const QUARTER: u64 = 250_000;
/// What the allocator may move.
const MOST: u64 = 2 * 1024;

#[test]
fn a_million_traces_take_no_more_than_the_table() -> anyhow::Result<()> {
    let answer = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } });
    let policy =
        r#"{ "trust": "mesh", "lane": { "header": "x-lane", "values": ["dev-*"] }, "maxTraces": 20000 }"#;
    let mut inbound = listener("main", &[entry("traffic-lanes", policy)], &route_config(&[answer]));
    inbound["traffic_direction"] = json!("INBOUND");
    let options = EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("lanes") };
    let envoy = Envoy::start(bootstrap(&[inbound], &[]), options)?;
    let address = envoy.listener("main")?;
    let mut held = Vec::new();
    for quarter in 0..4 {
        flood(address, quarter * QUARTER, (quarter + 1) * QUARTER)?;
        held.push(resident(&envoy)?);
    }
    let evicted = envoy.stat("wasmcustom.narrows_lanes_evicted_total")?;
    println!("kB resident after each quarter: {held:?}; {evicted} evicted");
    assert_eq!(envoy.stat("wasmcustom.lane=.=dev-*;.;narrows_lanes_remembered_total")?, 4 * QUARTER);
    assert!(evicted > 0, "the table was never full");
    let grown = held[3].saturating_sub(held[1]);
    assert!(grown <= MOST, "{grown} kB more after half a million traces: {held:?}");
    Ok(())
}

/// Four connections at once, a hundred requests at a time on each.
fn flood(address: SocketAddr, from: u64, to: u64) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let share = (to - from) / 4;
        let threads: Vec<_> = (0..4)
            .map(|part| scope.spawn(move || stream(address, from + part * share, from + (part + 1) * share)))
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a client"))
    })
}

fn stream(address: SocketAddr, from: u64, to: u64) -> anyhow::Result<()> {
    let mut client = Connection::connect(address)?;
    let mut next = from;
    while next < to {
        let end = (next + 100).min(to);
        let request = |number: u64| {
            Request::get("front", "/")
                .header("x-b3-traceid", format!("{:016x}", number + 1))
                .header("x-lane", format!("dev-{}", number % 50))
        };
        let requests: Vec<Request> = (next..end).map(request).collect();
        let answers = client.exchange_all(&requests)?;
        anyhow::ensure!(answers.iter().all(|answer| answer.status == 200), "a request failed");
        next = end;
    }
    Ok(())
}

/// Kilobytes of memory that the process holds.
fn resident(envoy: &Envoy) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", envoy.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| anyhow::anyhow!("no VmRSS"))
}
