//! metric-tags: what a proxy shows, what Prometheus makes of it, and what it costs.

mod attack;
mod cases;
mod conditions;
mod labels;
mod metadata;
mod preset;
mod prometheus;
mod sources;
mod updates;

use std::collections::BTreeMap;

use narrows::render::Shape;
use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_harness::prometheus::Sample;
use narrows_tests::{STRICT, module};
use serde_json::{Value, json};

use crate::rendered::rendered;

/// A bootstrap in which the filter stands before routes that Envoy answers itself: `/fail`
/// with 503, `/nowhere` with none, anything else with 200.
fn answering(policy: &str, stats: &Value) -> Value {
    let answer = |prefix: &str, status: u16| json!({ "match": { "prefix": prefix }, "direct_response": { "status": status } });
    let routes = route_config(&[answer("/fail", 503), answer("/", 200)]);
    let filter = wasm_filter("narrows.metric-tags", &module("metric-tags"), policy, STRICT, "FAIL_RELOAD");
    let mut config = bootstrap(&[listener("main", &[filter], &routes)], &[]);
    if !stats.is_null() {
        config["stats_config"] = stats.clone();
    }
    config
}

/// The `stats_config` that goes with a policy, as it is rendered.
fn stats_tags(policy: &str) -> Value {
    rendered("metric-tags", policy, Shape::StatsTags)["stats_config"].clone()
}

/// What matters of Istio's default bootstrap: the expressions that can touch a Wasm filter's
/// series, and the list of series that are kept; with the `extraStatTags` that are rendered for a
/// policy.
fn istio(policy: &str) -> Value {
    let rendered = rendered("metric-tags", policy, Shape::ExtraStatTags);
    let extra = rendered.pointer("/meshConfig/defaultConfig/extraStatTags").cloned().unwrap_or_default();
    let stock = [
        ("response_code", r"_rq(_(\d{3}))$"),
        ("response_code_class", r"_rq(_(\dxx))$"),
        ("cache", r"(cache\.(.+?)\.)"),
        ("component", r"(component\.(.+?)\.)"),
        ("tag", r"(tag\.(.+?);\.)"),
        ("wasm_filter", r"(wasm_filter\.(.+?)\.)"),
        ("authz_enforce_result", r"rbac(\.(allowed|denied))"),
        ("authz_dry_run_action", r"(\.istio_dry_run_(allow|deny)_)"),
        ("authz_dry_run_result", r"(\.shadow_(allowed|denied))"),
    ];
    let tag = |name: &str, regex: &str| json!({ "tag_name": name, "regex": regex });
    let stock = stock.iter().map(|(name, regex)| tag(name, regex));
    let extra = extra.as_array().into_iter().flatten().filter_map(Value::as_str);
    let extra = extra.map(|name| tag(name, &format!(r"({name}=\.=(.*?);\.;)")));
    json!({
        "use_all_default_tags": false,
        "stats_tags": extra.chain(stock).collect::<Vec<_>>(),
        "stats_matcher": { "inclusion_list": { "patterns": [
            { "prefix": "reporter=" }, { "prefix": "cluster_manager" }, { "prefix": "listener_manager" },
            { "prefix": "server" }, { "prefix": "wasm" }, { "prefix": "component" }, { "prefix": "istio" } ] } },
    })
}

fn start(policy: &str, stats: &Value) -> anyhow::Result<(Envoy, Connection)> {
    let envoy = Envoy::start(answering(policy, stats), EnvoyOptions::named("tags"))?;
    let client = Connection::connect(envoy.listener("main")?)?;
    Ok((envoy, client))
}

fn send(client: &mut Connection, target: &str, headers: &[(&str, &[u8])]) -> anyhow::Result<u16> {
    let request = Request::get("shop.example.com", target);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    Ok(client.exchange(&request)?.status)
}

/// The samples of a metric as Prometheus would print them, in order; without the labels that
/// Envoy adds to everything.
fn series(envoy: &Envoy, name: &str) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = envoy.prometheus()?.iter().filter(|s| s.name == name).map(line).collect();
    lines.sort();
    Ok(lines)
}

fn line(sample: &Sample) -> String {
    // Plain Envoy cuts a code class of its own out of `…_rq_2xx`; Istio's bootstrap does not.
    let own = sample.labels.iter().filter(|(name, _)| !name.starts_with("envoy_"));
    let labels: BTreeMap<_, _> = own.collect();
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{}{{{}}} {}", sample.name, labels.join(","), sample.value)
}

/// Waits until a metric's samples add up to `total`: what is counted in the log phase comes a
/// moment after the answer.
fn settle(envoy: &Envoy, name: &str, total: f64) -> anyhow::Result<()> {
    let sum = || -> anyhow::Result<f64> {
        Ok(envoy.prometheus()?.iter().filter(|sample| sample.name == name).map(|sample| sample.value).sum())
    };
    let what = format!("{name} to reach {total}");
    narrows_harness::wait::until(&what, std::time::Duration::from_secs(5), || {
        Ok((sum()? >= total).then_some(()))
    })
}
