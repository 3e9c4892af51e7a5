//! What a hot restart does to the signals: gauges are sums while the older Envoy drains, and
//! counters are carried on. Alerts and dashboards are written for that.

use narrows_testkit::bootstrap::{bootstrap, listener, route_config, wasm_config};
use narrows_testkit::envoy::{Envoy, EnvoyOptions};
use narrows_testkit::http1;
use narrows_testkit::message::Request;
use narrows_tests::module;
use serde_json::json;

use super::bad;

const COUNTS: &str = r#"{ "trust": "mesh", "tags": { "tenant": { "header": "x-t" } }, "metrics": [{ "name": "r_total", "tags": ["tenant"] }] }"#;

#[test]
fn gauges_are_sums_while_the_older_envoy_drains() {
    let filters = [("header-router", bad(1)), ("metric-tags", COUNTS.to_owned())].map(|(filter, policy)| {
        let config = wasm_config(filter, &module(filter), &policy, None, "FAIL_RELOAD");
        json!({ "name": filter, "typed_config": config })
    });
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } })]);
    let start = |epoch: u32| {
        let base = (1_000 + std::process::id() % 30_000).to_string();
        let epoch = epoch.to_string();
        let arguments = ["--base-id", &base, "--restart-epoch", &epoch, "--drain-time-s", "1"];
        let arguments = arguments.into_iter().chain(["--parent-shutdown-time-s", "8"]);
        Envoy::start(
            bootstrap(&[listener("main", &filters, &routes)], &[]),
            EnvoyOptions {
                arguments: arguments.map(str::to_owned).collect(),
                ..EnvoyOptions::named("restart")
            },
        )
        .unwrap()
    };
    let ask = |envoy: &Envoy| {
        let request = Request::get("shop", "/").header("x-t", "a");
        assert_eq!(http1::exchange(envoy.listener("main").unwrap(), &request).unwrap().status, 200);
    };
    let rejected = "wasmcustom.filter=.=header-router;.;narrows_config_rejected";
    let counted = "wasmcustom.tenant=.=a;.;r_total";
    let older = start(0);
    (0..3).for_each(|_| ask(&older));
    older.wait_for_stat(rejected, |value| value == 1).unwrap();
    older.wait_for_stat(counted, |value| value == 3).unwrap();
    let younger = start(1);
    younger.wait_for_stat(rejected, |value| value == 2).unwrap();
    younger.wait_for_stat(counted, |value| value == 3).unwrap();
    ask(&younger);
    // The older one is gone.
    younger.wait_for_stat(rejected, |value| value == 1).unwrap();
    younger.wait_for_stat(counted, |value| value == 4).unwrap();
    drop(older);
}
