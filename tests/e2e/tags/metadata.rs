//! Values of dynamic metadata as tags: each type has its text, and nothing else is a value.

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_tests::{STRICT, module};
use serde_json::{Value, json};

use super::{send, series, stats_tags};

#[test]
fn numbers_flags_and_lists_have_their_text() -> anyhow::Result<()> {
    let names = ["level", "half", "yes", "no", "text", "list", "table", "absent"];
    let tag = |name: &&str| {
        let path = ["metadata", "filter_metadata", "my.claims", name];
        ((*name).to_owned(), json!({ "property": path, "missing": "none" }))
    };
    let policy = json!({
        "trust": "mesh",
        "tags": names.iter().map(tag).collect::<serde_json::Map<String, Value>>(),
        "metrics": [{ "name": "claims_total", "tags": names }],
    })
    .to_string();
    let value = json!({ "level": 2, "half": 2.5, "yes": true, "no": false, "text": "gold", "list": ["a", 3], "table": { "a": 1 } });
    let metadata = json!({
        "name": "envoy.filters.http.set_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
            "metadata": [{ "metadata_namespace": "my.claims", "value": value }],
        },
    });
    let filter = wasm_filter("narrows.metric-tags", &module("metric-tags"), &policy, STRICT, "FAIL_RELOAD");
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } })]);
    let mut config = bootstrap(&[listener("main", &[metadata, filter], &routes)], &[]);
    config["stats_config"] = stats_tags(&policy);
    let envoy = Envoy::start(config, EnvoyOptions::named("metadata"))?;
    let mut client = Connection::connect(envoy.listener("main")?)?;
    for _ in 0..2 {
        send(&mut client, "/", &[])?;
    }
    let expected = "claims_total{absent=\"none\",half=\"2.5\",level=\"2\",list=\"a,3\",no=\"false\",table=\"none\",text=\"gold\",yes=\"true\"} 2";
    let shown = narrows_harness::wait::until("the series", std::time::Duration::from_secs(5), || {
        let shown = series(&envoy, "claims_total")?;
        Ok(shown.iter().any(|line| line == expected).then_some(()))
    });
    assert!(shown.is_ok(), "{:?}", series(&envoy, "claims_total")?);
    Ok(())
}
