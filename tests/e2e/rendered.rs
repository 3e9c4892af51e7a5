//! Does Envoy take what `narrows render` writes, and do the labels come out of it?

use std::collections::BTreeSet;

use narrows::filter::Filter;
use narrows::render::{Kept, RenderRequest, Shape, render};
use narrows_core::PolicyValue;
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::{Bench, filters, module};
use serde_json::Value;

/// A policy as a block or as tags, read as Envoy reads it.
pub(crate) fn rendered(filter: &str, policy: &str, shape: Shape) -> Value {
    rendered_for(filter, policy, shape, false)
}

/// The same, for a gateway or not.
fn rendered_for(filter: &str, policy: &str, shape: Shape, gateway: bool) -> Value {
    let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
    let filter = Filter::named(filter).unwrap();
    let wanted = RenderRequest {
        filter,
        tree: tree.clone(),
        policy: &filter.compile(&tree).unwrap(),
        istio: "1.30".parse().unwrap(),
        name: filter.name().to_owned(),
        namespace: None,
        selector: Vec::new(),
        targets: Vec::new(),
        url: Some(module(filter.name()).display().to_string()),
        sha256: None,
        mode: None,
        ports: Vec::new(),
        phase: None,
        priority: None,
        gateway,
        strict: false,
        metric: None,
        kept: Kept::default(),
    };
    serde_saphyr::from_str(&render(shape, &wanted).unwrap()).unwrap()
}

#[test]
fn a_rendered_block_runs_and_its_tags_leave_no_label_in_a_name() {
    let mut labels = BTreeSet::new();
    for (filter, policy) in filters() {
        let block = rendered(filter, &policy, Shape::EnvoyFilterBlock);
        let stats = rendered(filter, &policy, Shape::StatsTags)["stats_config"].clone();
        let bench = Bench::with(vec![block[0].clone()]).bootstrap("stats_config", stats).start().unwrap();
        let request = Request::get("shop.example.com", "/?q=1").header("x-user", "ada");
        http1::exchange(bench.at, &request).unwrap();
        let samples = bench.envoy.prometheus().unwrap();
        let own: Vec<_> = samples
            .iter()
            // Envoy counts reloads of a plugin under the plugin's own name.
            .filter(|sample| !sample.name.starts_with("envoy_wasm_"))
            .filter(|sample| sample.name.contains("narrows_") || sample.name.starts_with("hostile_"))
            .collect();
        assert!(own.len() > 1, "{filter} counts nothing");
        for sample in own {
            let bare = sample.name.starts_with("narrows_") || sample.name.starts_with("hostile_");
            assert!(bare, "{filter}: a label is left in {}", sample.name);
            labels.extend(sample.labels.keys().cloned());
        }
    }
    for label in ["rule", "lane", "split", "backend", "code_class", "action", "tag", "operation", "filter"] {
        assert!(labels.contains(label), "no series has {label:?}: {labels:?}");
    }
}

/// The filters that an `EnvoyFilter` puts into a gateway run there: the first one strips, the last one decides.
#[test]
fn the_filters_of_an_envoy_filter_run() {
    let policy = r#"{ "strip": ["x-internal"], "rules": [ { "name": "api",
        "matches": [ { "path": { "pathPrefix": "/api" } } ],
        "rewrite": { "path": { "replacePrefix": { "to": "/v2" } } } } ] }"#;
    let resource = rendered_for("header-router", policy, Shape::EnvoyFilter, true);
    let patches = resource["spec"]["configPatches"].as_array().unwrap();
    let places: Vec<_> = patches
        .iter()
        .map(|patch| {
            [&patch["patch"]["operation"], &patch["match"]["context"]].map(|text| text.as_str().unwrap())
        })
        .collect();
    assert_eq!(places, [["INSERT_FIRST", "GATEWAY"], ["INSERT_BEFORE", "GATEWAY"]]);
    let filters = patches.iter().map(|patch| patch["patch"]["value"].clone()).collect();
    let bench = Bench::with(filters).start().unwrap();
    let request = Request::get("shop.example.com", "/api/x").header("x-internal", "1").header("x-own", "2");
    assert_eq!(http1::exchange(bench.at, &request).unwrap().status, 200);
    let got = bench.echo.last().unwrap();
    assert_eq!(got.target, "/v2/x");
    assert!(!got.headers.contains("x-internal") && got.headers.contains("x-own"));
}
