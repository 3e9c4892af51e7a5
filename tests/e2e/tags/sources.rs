//! The sources that need a real proxy: who called with which certificate, where a request went
//! and how it ended, what the route is called; and gauges and histograms.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, wasm_filter,
};
use narrows_harness::certificates::Certificates;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::root;
use narrows_harness::wait;
use narrows_tests::{STRICT, module};
use serde_json::{Value, json};

use super::{series, stats_tags};

const POLICY: &str = r#"{ "trust": "mesh",
    "tags": { "from": { "sourcePrincipal": true }, "to": { "destinationPrincipal": true },
              "security": { "connectionSecurity": true }, "upstream": { "upstreamHost": true },
              "flags": { "responseFlags": true }, "route": { "property": "xds.route_name", "missing": "none" } },
    "metrics": [ { "name": "calls_total", "tags": [ "from", "to", "security" ] },
                 { "name": "ends_total", "tags": [ "upstream", "flags", "route" ] },
                 { "name": "answer_bytes", "type": "histogram", "value": "responseBytes", "tags": [ "route" ] },
                 { "name": "last_seen_seconds", "type": "gauge", "value": "time", "tags": [ "route" ] } ] }"#;
const CHECKOUT: &str = "spiffe://cluster.local/ns/shop/sa/checkout";
const STOCK: &str = "spiffe://cluster.local/ns/books/sa/stock";
/// Nobody listens there.
const DEAD: &str = "127.0.0.1:1";

#[test]
fn both_sides_of_a_call() -> anyhow::Result<()> {
    let certificates = Certificates::make_for(&root(), &["shop/checkout", "books/stock"])?;
    let echo = Echo::start("stock", EchoOptions::default())?;
    let server = Envoy::start(server(echo.addr(), &certificates), EnvoyOptions::named("server"))?;
    let client =
        Envoy::start(client(server.listener("mutual")?, &certificates), EnvoyOptions::named("client"))?;

    let before = now()?;
    let ask = |envoy: &Envoy, caller: &str, path: &str| -> anyhow::Result<(u16, usize)> {
        let answer = http1::exchange(envoy.listener(caller)?, &Request::get("stock", path))?;
        Ok((answer.status, answer.body.len()))
    };
    let (status, bytes) = ask(&server, "plain", "/books")?;
    assert_eq!(status, 200);
    assert_eq!(ask(&client, "checkout", "/books")?.0, 200);
    assert_eq!(ask(&client, "nobody", "/books")?.0, 200);
    assert_eq!(ask(&server, "plain", "/dead")?.0, 503);
    assert_eq!(ask(&server, "plain", "/nowhere")?.0, 404);

    shows(
        &server,
        "calls_total",
        &[
            format!("calls_total{{from=\"{CHECKOUT}\",security=\"mutual_tls\",to=\"{STOCK}\"}} 1"),
            "calls_total{from=\"unknown\",security=\"none\",to=\"unknown\"} 3".to_owned(),
            format!("calls_total{{from=\"unknown\",security=\"tls\",to=\"{STOCK}\"}} 1"),
            "calls_total{overflow=\"true\"} 0".to_owned(),
        ],
    )?;
    shows(
        &server,
        "ends_total",
        &[
            format!("ends_total{{flags=\"-\",route=\"books\",upstream=\"{}\"}} 3", echo.addr()),
            "ends_total{flags=\"NR\",route=\"none\",upstream=\"unknown\"} 1".to_owned(),
            format!("ends_total{{flags=\"UF\",route=\"dead\",upstream=\"{DEAD}\"}} 1"),
            "ends_total{overflow=\"true\"} 0".to_owned(),
        ],
    )?;
    // On the caller's side the same names are those of its own connection to the other proxy.
    shows(
        &client,
        "calls_total",
        &[
            format!("calls_total{{from=\"{CHECKOUT}\",security=\"none\",to=\"{STOCK}\"}} 1"),
            format!("calls_total{{from=\"unknown\",security=\"none\",to=\"{STOCK}\"}} 1"),
            "calls_total{overflow=\"true\"} 0".to_owned(),
        ],
    )?;

    // A gauge is the last value, in whole seconds; a histogram has each value in its buckets.
    let after = now()?;
    let samples = server.prometheus()?;
    let seen = samples.iter().find(|s| s.is("last_seen_seconds", &[("route", "books")])).map(|s| s.value);
    assert!(seen.is_some_and(|seen| (before..=after).contains(&seen)), "{before} {seen:?} {after}");
    has_sizes(&server, bytes)
}

/// The histogram has the three answers in buckets around this size.
fn has_sizes(server: &Envoy, bytes: usize) -> anyhow::Result<()> {
    wait::until("the histogram", Duration::from_secs(10), || {
        let samples = server.prometheus()?;
        let of_route = |name: &str| -> Vec<(String, f64)> {
            let own = samples.iter().filter(|s| s.is(name, &[("route", "books")]));
            own.map(|s| (s.labels.get("le").cloned().unwrap_or_default(), s.value)).collect()
        };
        let merged = of_route("answer_bytes_count").first().is_some_and(|(_, count)| *count == 3.0);
        let buckets = of_route("answer_bytes_bucket");
        if !merged || buckets.is_empty() {
            return Ok(None);
        }
        let length = f64::from(u32::try_from(bytes)?);
        for (le, count) in buckets {
            // The answers to the three differ in a few headers that they show.
            let le: f64 = le.replace("+Inf", "inf").parse()?;
            let expected = if le >= 2.0 * length {
                3.0
            } else if le <= length / 2.0 {
                0.0
            } else {
                count
            };
            ensure!(count == expected, "le {le}: {count} of answers with {length} bytes");
        }
        Ok(Some(()))
    })
}

fn shows(envoy: &Envoy, name: &str, expected: &[String]) -> anyhow::Result<()> {
    let mut shown = Vec::new();
    let settled = wait::until(name, Duration::from_secs(5), || {
        shown = series(envoy, name)?;
        Ok((shown == expected).then_some(()))
    });
    ensure!(settled.is_ok(), "shown {shown:#?}\nexpected {expected:#?}");
    Ok(())
}

/// Whole seconds since the epoch.
fn now() -> anyhow::Result<f64> {
    Ok(f64::from(u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?))
}

fn filter() -> Value {
    wasm_filter("narrows.metric-tags", &module("metric-tags"), POLICY, STRICT, "FAIL_RELOAD")
}

fn with_labels(mut config: Value) -> Value {
    config["stats_config"] = stats_tags(POLICY);
    config
}

/// The proxy beside the service that is called: one listener with TLS, one without.
fn server(echo: SocketAddr, certificates: &Certificates) -> Value {
    let route = |name: &str, cluster: &str| json!({ "name": name, "match": { "prefix": format!("/{name}") }, "route": { "cluster": cluster } });
    let routes = route_config(&[route("books", "echo"), route("dead", "dead")]);
    let mut mutual = listener("mutual", &[filter()], &routes);
    mutual["filter_chains"][0]["transport_socket"] = certificates.tls("Downstream", Some("books/stock"));
    let plain = listener("plain", &[filter()], &routes);
    let clusters = [
        static_cluster("echo", echo, false),
        static_cluster("dead", DEAD.parse().expect("an address"), false),
    ];
    with_labels(bootstrap(&[mutual, plain], &clusters))
}

/// The proxies beside two callers: one with a certificate, one with none.
fn client(server: SocketAddr, certificates: &Certificates) -> Value {
    let callers = [("checkout", Some("shop/checkout")), ("nobody", None)];
    let listeners =
        callers.map(|(name, _)| listener(name, &[filter()], &route_config(&[cluster_route(name)])));
    let clusters = callers.map(|(name, certificate)| {
        let mut cluster = static_cluster(name, server, false);
        cluster["transport_socket"] = certificates.tls("Upstream", certificate);
        cluster
    });
    with_labels(bootstrap(&listeners, &clusters))
}
