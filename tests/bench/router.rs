//! What rules cost on a real Envoy: ours, and the same rules as Envoy's own routes.
//!
//! Prints a table in Markdown. A number is the processor time of the Envoy process for one request
//! that matches the last rule, over one connection on loopback, answered by Envoy itself; all of
//! it in one run, so that the numbers compare. Needs `ENVOY` and `dist/header-router.wasm`.

use std::time::{Duration, Instant};

use anyhow::Context;
use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_runners::Filter;
use serde_json::{Value, json};

/// Who knows the rules.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    /// Nobody: one route.
    Nowhere,
    Filter,
    Routes,
}

fn main() -> anyhow::Result<()> {
    let nothing = measure(Kept::Nowhere, by_header, 1)?;
    println!("A request without any rule: {:.1} µs.\n", nothing.micros);
    println!("| rules | by | header-router | Envoy's routes | start-up, longer by |");
    println!("|---:|---|---:|---:|---:|");
    for (name, shape) in [("exact header", by_header as Shape), ("path prefix", by_path)] {
        for rules in [10, 1_000, 10_000] {
            let (ours, theirs) = (measure(Kept::Filter, shape, rules)?, measure(Kept::Routes, shape, rules)?);
            println!(
                "| {rules} | {name} | {:+.1} µs | {:+.1} µs | {} ms |",
                ours.micros - nothing.micros,
                theirs.micros - nothing.micros,
                ours.ready.saturating_sub(nothing.ready).as_millis(),
            );
        }
    }
    Ok(())
}

/// A rule's match, once in our words and once in Envoy's, and a request for it.
type Shape = fn(usize) -> (Value, Value, Request);

fn by_header(n: usize) -> (Value, Value, Request) {
    let user = format!("user-{n}");
    (
        json!({ "headers": { "x-user": { "exact": user } } }),
        json!({ "prefix": "/", "headers": [{ "name": "x-user", "string_match": { "exact": user } }] }),
        Request::get("shop.example.com", "/cart").header("x-user", user),
    )
}

fn by_path(n: usize) -> (Value, Value, Request) {
    let path = format!("/service{n}/");
    let request = Request::get("shop.example.com", &format!("{path}items?page=2"));
    (json!({ "path": { "prefix": path } }), json!({ "prefix": path }), request)
}

/// What was seen of one Envoy.
struct Seen {
    micros: f64,
    ready: Duration,
}

fn measure(kept: Kept, shape: Shape, rules: usize) -> anyhow::Result<Seen> {
    let begun = Instant::now();
    let envoy = Envoy::start(config(kept, shape, rules)?, EnvoyOptions::named("bench"))?;
    let ready = begun.elapsed();
    let (_, _, request) = shape(rules - 1);
    let mut connection = Connection::connect(envoy.listener("http")?)?;
    let mut send = |count: u32| -> anyhow::Result<()> {
        for _ in 0..count {
            let status = connection.exchange(&request)?.status;
            anyhow::ensure!(status == 204, "status {status}: the rule was not found");
        }
        Ok(())
    };
    // Compiled code and warm caches first; then as many requests as a second of work holds.
    send(if rules > 5_000 { 300 } else { 2_000 })?;
    let (before, mut sent) = (processor(envoy.pid())?, 0);
    loop {
        send(500)?;
        sent += 500;
        let spent = processor(envoy.pid())? - before;
        if spent >= 1.5 || sent >= 60_000 {
            return Ok(Seen { micros: spent * 1e6 / f64::from(sent), ready });
        }
    }
}

/// The rules in one place or the other. 204 says that the route of the last rule was taken.
fn config(kept: Kept, shape: Shape, rules: usize) -> anyhow::Result<Value> {
    let answer =
        |matched: Value, status: u16| json!({ "match": matched, "direct_response": { "status": status } });
    let everything = || json!({ "prefix": "/" });
    let mut filters = Vec::new();
    let mut routes = Vec::new();
    match kept {
        Kept::Nowhere => routes.push(answer(everything(), 204)),
        Kept::Filter => {
            let rule =
                |n| json!({ "name": format!("r{n}"), "matches": [shape(n).0], "route": { "to": "found" } });
            let policy = json!({ "rules": (0..rules).map(rule).collect::<Vec<_>>() });
            let wasm = Filter::named("header-router")?.wasm()?;
            filters.push(wasm_filter("narrows", &wasm, &policy.to_string(), None, "FAIL_CLOSED"));
            let found = json!({ "prefix": "/", "headers": [
                { "name": "x-narrows-route", "string_match": { "exact": "found" } }] });
            routes.push(answer(found, 204));
        }
        Kept::Routes => routes.extend((0..rules).map(|n| answer(shape(n).1, 204))),
    }
    routes.push(answer(everything(), 404));
    Ok(bootstrap(&[listener("http", &filters, &route_config(&routes))], &[]))
}

/// Seconds of processor time that a process has used, from `/proc/PID/stat`.
fn processor(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold blanks; what follows it does not.
    let fields: Vec<&str> = stat.rsplit_once(')').context("no process name")?.1.split_whitespace().collect();
    let ticks =
        |field: usize| -> anyhow::Result<f64> { Ok(fields.get(field).context("too short")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Linux's `USER_HZ`, the same on every architecture that Envoy is built for.
const TICKS: f64 = 100.0;
