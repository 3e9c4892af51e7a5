//! Requests that another filter has answered before they come to the merged plugin.

use narrows_harness::bootstrap::{bootstrap, listener, refusing_filter, route_config, wasm_config_in};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::form::Form;
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::{STRICT, module};
use serde_json::json;

const POLICY: &str = r#"{ "filter": "narrows", "router": { "strip": ["x-tenant"], "rules": [] },
    "tags": { "tags": { "tenant": { "header": "x-tenant", "maxValues": 50 } },
              "metrics": [{ "name": "asked_total", "type": "counter", "tags": ["tenant"] }] } }"#;

/// They are counted as any other: without what a client must not say.
#[test]
fn what_a_client_must_not_say_is_no_label_of_a_request_that_was_refused_before() -> anyhow::Result<()> {
    let refusing = refusing_filter("x-refused");
    let config = wasm_config_in(Form::Modules, "narrows", &module("narrows"), POLICY, STRICT, "FAIL_CLOSED");
    let merged = json!({ "name": "narrows", "typed_config": config });
    let answer = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } });
    let routes = route_config(&[answer]);
    let envoy = Envoy::start(
        bootstrap(&[listener("main", &[refusing, merged], &routes)], &[]),
        EnvoyOptions::named("merged-unseen"),
    )?;
    let ask = |request: Request| http1::exchange(envoy.listener("main")?, &request);
    for number in 0..3 {
        let forged = Request::get("shop", "/").header("x-tenant", format!("evil-{number}"));
        assert_eq!(ask(forged.header("x-refused", "1"))?.status, 403);
    }
    assert_eq!(ask(Request::get("shop", "/").header("x-tenant", "evil"))?.status, 200);
    let series = "wasmcustom.tenant=.=unknown;.;asked_total";
    narrows_harness::wait::until("four requests to be counted", super::SOON, || {
        Ok((envoy.stat(series)? == 4).then_some(()))
    })?;
    let stats = envoy.stats()?;
    assert!(!stats.keys().any(|name| name.contains("evil")), "{stats:?}");
    Ok(())
}
