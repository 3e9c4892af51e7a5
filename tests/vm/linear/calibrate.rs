//! How much fuel a millisecond of a real Envoy is.
//!
//! The same policies and requests on a real Envoy, one worker: the processor time that it uses for
//! a request of 56 kB, less what it uses for the same request under a policy that does nothing,
//! beside the fuel.

use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_runners::Filter;
use serde_json::{Value, json};

use super::{Costly, Prices, get, text};

/// Bytes of a request: its line and Envoy's own headers have room beside it.
const BYTES: usize = 56_000;

struct Kind {
    name: &'static str,
    filter: &'static str,
    policy: Value,
    target: String,
    header: Option<(&'static str, String)>,
}

fn kind(
    name: &'static str,
    filter: &'static str,
    policy: Value,
    target: String,
    header: Option<(&'static str, String)>,
) -> Kind {
    Kind { name, filter, policy, target, header }
}

fn kinds() -> Vec<Kind> {
    let regex = |n: usize| json!({ "name": format!("r{n}"), "matches": [{ "headers": { "x-a": { "regex": format!(".*a.*x{n}") } } }] });
    let rewrite = json!({ "rules": [{ "name": "r", "rewrite": { "path": { "regex": { "match": "/v[0-9]+(/.*/legacy)?", "replace": "/x" } } } }] });
    let bits = json!({ "rules": [{ "name": "r", "matches": [{ "headers": { "x-a": { "regex": ".*foo.{0,500}bar.*" } } }] }] });
    let paths: Vec<Value> = (0..32).map(|n| json!({ "regex": format!(".*/admin{n}(/.*)?") })).collect();
    let egress =
        json!({ "default": "allow", "rules": [{ "name": "r", "action": "deny", "to": { "paths": paths } }] });
    let query: Value = (0..8).map(|n| (format!("x-{n}"), json!("%QUERY_PARAM(q)%"))).collect();
    let quotes = json!({ "rules": [{ "name": "r", "requestHeaders": { "set": query } }] });
    let path = |from: usize| -> Value {
        (from..from + 16).map(|n| (format!("x-{n}"), json!("%PATH%".repeat(8)))).collect()
    };
    let written =
        json!({ "rules": [{ "name": "r", "requestHeaders": { "set": path(0), "add": path(16) } }] });
    let end = |n: usize| json!({ "suffix": format!("{n:04X}"), "repeated": "any", "ignoreCase": true });
    let ends = |n: usize| json!({ "name": format!("r{n}"), "matches": [{ "queryParams": { "b": end(n), "c": { "present": true } } }] });
    let values: String = (0..BYTES / 7).map(|n| format!("b={n:04x}&")).collect();
    vec![
        kind(
            "expressions with a table",
            "header-router",
            json!({ "rules": (0..40).map(regex).collect::<Vec<_>>() }),
            "/".into(),
            Some(("x-a", text("", "a", "!", BYTES))),
        ),
        kind(
            "an expression without",
            "header-router",
            bits,
            "/".into(),
            Some(("x-a", text("", "foo", "!", BYTES))),
        ),
        kind("rewriting", "header-router", rewrite, text("/", "/v1", "!", BYTES), None),
        kind("readings", "egress-policy", egress, text("//", "A", "", BYTES), None),
        kind("quotations", "header-router", quotes, text("/?", "a=%61&", "q=1", BYTES), None),
        // Longer ones would be longer than what is written.
        kind("texts written", "header-router", written, text("/", "p", "", BYTES / 7), None),
        kind(
            "values in order",
            "header-router",
            json!({ "rules": (0..1_000).map(ends).collect::<Vec<_>>() }),
            format!("/?{values}"),
            None,
        ),
    ]
}

#[test]
#[ignore = "measures time: to be read, not to pass or fail"]
fn fuel_of_a_millisecond() -> anyhow::Result<()> {
    for kind in kinds() {
        let requests: fn(usize) -> Vec<narrows_vm::Exchange> = |_| Vec::new();
        let costly = Costly { name: kind.name, filter: kind.filter, policy: kind.policy.clone(), requests };
        let mut prices = Prices::of(&costly)?;
        let exchange = kind.header.iter().fold(get(&kind.target), |e, (name, value)| e.header(*name, value));
        let fuel = prices.one(&exchange);
        let busy = time(&kind, &kind.policy)?;
        let idle = time(&kind, &json!({ "mode": "off" }))?;
        let micros = busy.saturating_sub(idle).as_micros();
        println!(
            "{:28} {fuel:>10} fuel, {micros:>6} µs, {:>8} fuel in a millisecond (idle {} µs)",
            kind.name,
            u128::from(fuel) * 1_000 / micros.max(1),
            idle.as_micros()
        );
    }
    Ok(())
}

/// Processor time of Envoy for one request.
fn time(kind: &Kind, policy: &Value) -> anyhow::Result<Duration> {
    let wasm = Filter::named(kind.filter)?.wasm()?;
    let filter = wasm_filter("narrows", &wasm, &policy.to_string(), None, "FAIL_CLOSED");
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 204 } })]);
    let envoy =
        Envoy::start(bootstrap(&[listener("http", &[filter], &routes)], &[]), EnvoyOptions::named("fuel"))?;
    let request = Request::get("shop.example.com", &kind.target);
    let request =
        kind.header.iter().fold(request, |request, (name, value)| request.header(*name, value.clone()));
    let mut connection = Connection::connect(envoy.listener("http")?)?;
    let mut send = |count: u32| -> anyhow::Result<()> {
        (0..count).try_for_each(|_| connection.exchange(&request).map(drop))
    };
    // Until the code is compiled well.
    send(60)?;
    std::thread::sleep(Duration::from_millis(500));
    send(20)?;
    let before = processor(envoy.pid())?;
    let mut sent = 0;
    loop {
        send(20)?;
        sent += 20;
        let spent = processor(envoy.pid())?.saturating_sub(before);
        if spent >= Duration::from_secs(1) || sent >= 600 {
            return Ok(spent / sent);
        }
    }
}

/// The processor time that a process has used, from `/proc/PID/stat`, in ticks of 10 ms.
fn processor(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
}
