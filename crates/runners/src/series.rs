//! What a file's cases leave in a real Envoy together: every series, not only those that a case
//! asks about, as Envoy tells labels from names.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};

use narrows_cases::{File, Protocol, Runner};
use narrows_harness::bootstrap::{bootstrap, listener, route_config, static_cluster, wasm_filter};
use narrows_harness::client::{self, Client};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};

/// Sends every request of a file that Envoy's runner can send, in order; `stats` is the
/// `stats_config`.
pub fn serve(file: &File, wasm: &Path, stats: &Value) -> anyhow::Result<Envoy> {
    let echo = Echo::start("echo", EchoOptions::default())?;
    let everything = json!({ "match": { "prefix": "" }, "route": { "cluster": "echo" } });
    let filter = wasm_filter(&file.filter, wasm, &file.policy, Some(&file.vm), "FAIL_CLOSED");
    let listener = listener("http", &[filter], &route_config(&[everything]));
    let mut config = bootstrap(&[listener], &[static_cluster("echo", echo.addr(), false)]);
    config["stats_config"] = stats.clone();
    let envoy = Envoy::start(config, EnvoyOptions::named(&file.label().replace('/', "-")))?;
    for case in file.cases_for(Runner::Envoy) {
        let protocol = match case.send.protocol {
            Protocol::Http1 => client::Protocol::Http1,
            Protocol::Http2 => client::Protocol::Http2,
        };
        let answer =
            Client::connect(protocol, envoy.listener("http")?)?.exchange(&crate::envoy::request(case))?;
        ensure!(answer.status == case.answer.status, "{}: {}", case.name, answer.text());
    }
    Ok(envoy)
}

/// What they must have counted: the names of series as the cases say them, without those that
/// must not be there.
pub fn expected(file: &File) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for (name, count) in file.cases_for(Runner::Envoy).flat_map(|case| &case.expect.counts) {
        *counts.entry(name.clone()).or_insert(0) += count;
    }
    counts.retain(|_, count| *count != 0);
    counts
}
