//! What a hot restart does to the signals: gauges are sums while the older Envoy drains. Alerts
//! and dashboards are written for that.

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_config};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_tests::{is_merged, module};
use serde_json::json;

use narrows_tests::signals::bad;

#[test]
fn gauges_are_sums_while_the_older_envoy_drains() {
    if is_merged() {
        return;
    }
    let config = wasm_config("router", &module("header-router"), &bad(1), None, "FAIL_RELOAD");
    let filters = [json!({ "name": "router", "typed_config": config })];
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
    let rejected = "wasmcustom.filter=.=header-router;.;narrows_config_rejected";
    let older = start(0);
    older.wait_for_stat(rejected, |value| value == 1).unwrap();
    let younger = start(1);
    younger.wait_for_stat(rejected, |value| value == 2).unwrap();
    // The older one is gone.
    younger.wait_for_stat(rejected, |value| value == 1).unwrap();
    drop(older);
}
