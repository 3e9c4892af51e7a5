//! What becomes of counters when the policy, or the module, is replaced while Envoy runs.

use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_config};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use narrows_tests::{STRICT, module};
use serde_json::json;

use super::{send, series, stats_tags};

fn policy(operation: &str) -> String {
    format!(
        r#"{{ "trust": "mesh",
             "tags": {{ "{operation}": {{ "pathTemplates": [ "/books/{{id}}" ] }}, "tenant": {{ "header": "x-tenant", "maxValues": 2 }} }},
             "metrics": [ {{ "name": "requests_total", "tags": [ "{operation}", "tenant" ] }},
                          {{ "name": "duration_milliseconds", "type": "histogram", "value": "duration", "tags": [ "{operation}" ] }},
                          {{ "name": "last_seconds", "type": "gauge", "value": "time", "tags": [ "{operation}" ] }} ],
             "limits": {{ "maxSeries": 20 }} }}"#
    )
}

#[test]
fn what_survives_a_policy_and_a_module() -> anyhow::Result<()> {
    let directory = TempDir::new("tags-ecds")?;
    let ecds = Ecds::new(directory.path(), "narrows.metric-tags")?;
    // The same code in other bytes: a custom section more.
    let mut changed = std::fs::read(module("metric-tags"))?;
    changed.extend_from_slice(b"\0\x07\x06narrow");
    let changed = directory.write("changed.wasm", changed)?;
    let config = |wasm: &std::path::Path, policy: &str| {
        wasm_config("narrows.metric-tags", wasm, policy, STRICT, "FAIL_RELOAD")
    };
    ecds.push(&config(&module("metric-tags"), &policy("operation")))?;
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } })]);
    let mut bootstrap = bootstrap(&[listener("main", &[ecds.filter_entry(&[WASM])], &routes)], &[]);
    let mut stats = stats_tags(&policy("operation"));
    let more = stats_tags(&policy("route"))["stats_tags"].clone();
    stats["stats_tags"]
        .as_array_mut()
        .unwrap()
        .extend(more.as_array().unwrap().iter().filter(|t| t["tag_name"] == "route").cloned());
    bootstrap["stats_config"] = stats;
    let envoy = Envoy::start(bootstrap, EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("updates") })?;
    // A new connection for each: they are spread over the workers.
    let request = |tenant: &str| -> anyhow::Result<()> {
        let mut client = Connection::connect(envoy.listener("main")?)?;
        send(&mut client, "/books/1", &[("x-tenant", tenant.as_bytes())]).map(drop)
    };
    // What has been counted, with the label by which it is, once it is as expected.
    let counted = |label: &str, tenants: &[(&str, u32)], what: &str| -> anyhow::Result<()> {
        let all: u32 = tenants.iter().map(|(_, count)| count).sum();
        let histogram = format!("duration_milliseconds_count{{{label}=\"/books/{{id}}\"}} {all}");
        let mut expected: Vec<String> = (all > 0).then_some(histogram).into_iter().collect();
        let lines = tenants.iter().map(|(tenant, count)| {
            format!("requests_total{{{label}=\"/books/{{id}}\",tenant=\"{tenant}\"}} {count}")
        });
        expected.extend(lines);
        let mut shown = Vec::new();
        let settled = wait::until(what, Duration::from_secs(15), || {
            shown =
                [series(&envoy, "duration_milliseconds_count")?, series(&envoy, "requests_total")?].concat();
            shown.retain(|line| line.contains(&format!("{{{label}=")));
            Ok((shown == expected).then_some(()))
        });
        anyhow::ensure!(settled.is_ok(), "{what}: shown {shown:#?}\nexpected {expected:#?}");
        Ok(())
    };
    let gauge = |label: &str| -> anyhow::Result<Vec<String>> {
        let mut lines = series(&envoy, "last_seconds")?;
        lines.retain(|line| line.contains(&format!("{{{label}=")));
        Ok(lines)
    };
    let replace_module = |wasm: &std::path::Path, policy: &str| -> anyhow::Result<()> {
        let before = [created(&envoy)?, active(&envoy)?];
        anyhow::ensure!(ecds.push_to(&envoy, &config(wasm, policy))?);
        wait::until("the old VMs to go", Duration::from_secs(20), || {
            Ok((created(&envoy)? > before[0] && active(&envoy)? == before[1]).then_some(()))
        })
    };
    for tenant in ["acme", "acme", "globex", "hooli"] {
        request(tenant)?;
    }
    counted("operation", &[("acme", 2), ("globex", 1), ("other", 1)], "the first policy")?;

    // A policy that counts the same: everything goes on, and the tenants are known.
    let same = policy("operation").replace("20", "21");
    anyhow::ensure!(ecds.push_to(&envoy, &config(&module("metric-tags"), &same))?);
    counted("operation", &[("acme", 2), ("globex", 1), ("other", 1)], "a policy that counts the same")?;
    request("acme")?;
    request("hooli")?;
    counted("operation", &[("acme", 3), ("globex", 1), ("other", 2)], "hooli is still one too many")?;

    // Another module: the new VM has defined everything before the old one goes. A gauge and
    // a histogram keep their values as a counter does.
    let last = gauge("operation")?;
    replace_module(&changed, &same)?;
    counted("operation", &[("acme", 3), ("globex", 1), ("other", 2)], "another module, without a request")?;
    assert_eq!(gauge("operation")?, last);
    request("acme")?;
    request("globex")?;
    counted("operation", &[("acme", 4), ("globex", 2), ("other", 2)], "another module")?;

    // A policy with other labels: the old series stay, and count.
    anyhow::ensure!(ecds.push_to(&envoy, &config(&changed, &policy("route")))?);
    request("acme")?;
    counted("route", &[("acme", 1)], "other labels")?;
    counted("operation", &[("acme", 4), ("globex", 2), ("other", 2)], "other labels")?;
    let held = ["narrows_tags_series{} 11"];
    assert_eq!(series(&envoy, "narrows_tags_series")?, held, "five, three more, three that overflow");

    // Another module with other labels: what only the old VMs could name is gone with them. The
    // bound still counts it: it errs on the safe side until the proxy restarts.
    replace_module(&module("metric-tags"), &policy("route"))?;
    counted("route", &[("acme", 1)], "another module with other labels")?;
    counted("operation", &[], "series that nobody names")?;
    assert_eq!(gauge("operation")?, Vec::<String>::new());
    assert_eq!(series(&envoy, "narrows_tags_series")?, held);
    Ok(())
}

fn created(envoy: &Envoy) -> anyhow::Result<u64> {
    envoy.stat("wasm.envoy.wasm.runtime.v8.created")
}

fn active(envoy: &Envoy) -> anyhow::Result<u64> {
    envoy.stat("wasm.envoy.wasm.runtime.v8.active")
}
