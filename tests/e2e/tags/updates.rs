//! What becomes of counters when the policy, or the module, is replaced while Envoy runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use narrows_harness::bootstrap::wasm_config;
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::Envoy;
use narrows_harness::http1::Connection;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use narrows_tests::{Bench, STRICT, module};
use serde_json::{Value, json};

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

/// A proxy whose policy and module are replaced.
struct Updated {
    envoy: Envoy,
    ecds: Ecds,
    /// The same code in other bytes: a custom section more.
    changed: PathBuf,
    _directory: TempDir,
}

impl Updated {
    fn start() -> anyhow::Result<Self> {
        let directory = TempDir::new("tags-ecds")?;
        let ecds = Ecds::new(directory.path(), "narrows.metric-tags")?;
        let changed = changed("metric-tags", &directory)?;
        ecds.push(&config(&module("metric-tags"), &policy("operation")))?;
        let mut stats = stats_tags(&policy("operation"));
        let more = stats_tags(&policy("route"))["stats_tags"].clone();
        let more = more.as_array().unwrap().iter().filter(|tag| tag["tag_name"] == "route").cloned();
        stats["stats_tags"].as_array_mut().unwrap().extend(more);
        let answer = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } });
        let plan = Bench::with(vec![ecds.filter_entry(&[WASM])]).named("updates").routes(&[answer]);
        let bench = plan.bootstrap("stats_config", stats).workers(2).start()?;
        Ok(Self { envoy: bench.envoy, ecds, changed, _directory: directory })
    }

    /// On a new connection: they are spread over the workers.
    fn request(&self, tenant: &str) -> anyhow::Result<()> {
        let mut client = Connection::connect(self.envoy.listener("main")?)?;
        send(&mut client, "/books/1", &[("x-tenant", tenant.as_bytes())]).map(drop)
    }

    /// What has been counted, with the label by which it is, once it is as expected.
    fn counted(&self, label: &str, tenants: &[(&str, u32)], what: &str) -> anyhow::Result<()> {
        let all: u32 = tenants.iter().map(|(_, count)| count).sum();
        let histogram = format!("duration_milliseconds_count{{{label}=\"/books/{{id}}\"}} {all}");
        let mut expected: Vec<String> = (all > 0).then_some(histogram).into_iter().collect();
        let lines = tenants.iter().map(|(tenant, count)| {
            format!("requests_total{{{label}=\"/books/{{id}}\",tenant=\"{tenant}\"}} {count}")
        });
        expected.extend(lines);
        let mut shown = Vec::new();
        let settled = wait::until(what, Duration::from_secs(15), || {
            let of = |name: &str| self.labelled(name, label);
            shown = [of("duration_milliseconds_count")?, of("requests_total")?].concat();
            Ok((shown == expected).then_some(()))
        });
        anyhow::ensure!(settled.is_ok(), "{what}: shown {shown:#?}\nexpected {expected:#?}");
        Ok(())
    }

    /// The series of a metric that begin with a label.
    fn labelled(&self, name: &str, label: &str) -> anyhow::Result<Vec<String>> {
        let mut lines = series(&self.envoy, name)?;
        lines.retain(|line| line.contains(&format!("{{{label}=")));
        Ok(lines)
    }

    fn replace_policy(&self, wasm: &Path, policy: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.ecds.push_to(&self.envoy, &config(wasm, policy))?);
        Ok(())
    }

    fn replace_module(&self, wasm: &Path, policy: &str) -> anyhow::Result<()> {
        let before = [created(&self.envoy)?, active(&self.envoy)?];
        self.replace_policy(wasm, policy)?;
        wait::until("the old VMs to go", Duration::from_secs(20), || {
            Ok((created(&self.envoy)? > before[0] && active(&self.envoy)? == before[1]).then_some(()))
        })
    }
}

/// The filter's module with a section more, which says nothing; beside it the module of all filters.
fn changed(filter: &str, directory: &TempDir) -> anyhow::Result<PathBuf> {
    let change = |name: &str| {
        let mut module = std::fs::read(module(name))?;
        module.extend_from_slice(b"\0\x07\x06narrow");
        directory.write(&format!("{name}.wasm"), module)
    };
    change("narrows")?;
    change(filter)
}

fn config(wasm: &Path, policy: &str) -> Value {
    wasm_config("narrows.metric-tags", wasm, policy, STRICT, "FAIL_RELOAD")
}

#[test]
fn what_survives_a_policy_and_a_module() -> anyhow::Result<()> {
    let proxy = Updated::start()?;
    for tenant in ["acme", "acme", "globex", "hooli"] {
        proxy.request(tenant)?;
    }
    proxy.counted("operation", &[("acme", 2), ("globex", 1), ("other", 1)], "the first policy")?;

    // A policy that counts the same: everything goes on, and the tenants are known.
    let same = policy("operation").replace("20", "21");
    proxy.replace_policy(&module("metric-tags"), &same)?;
    proxy.counted(
        "operation",
        &[("acme", 2), ("globex", 1), ("other", 1)],
        "a policy that counts the same",
    )?;
    proxy.request("acme")?;
    proxy.request("hooli")?;
    proxy.counted("operation", &[("acme", 3), ("globex", 1), ("other", 2)], "hooli is still one too many")?;

    // Another module: the new VM has defined everything before the old one goes. A gauge and
    // a histogram keep their values as a counter does.
    let last = proxy.labelled("last_seconds", "operation")?;
    proxy.replace_module(&proxy.changed, &same)?;
    proxy.counted(
        "operation",
        &[("acme", 3), ("globex", 1), ("other", 2)],
        "another module, without a request",
    )?;
    assert_eq!(proxy.labelled("last_seconds", "operation")?, last);
    proxy.request("acme")?;
    proxy.request("globex")?;
    proxy.counted("operation", &[("acme", 4), ("globex", 2), ("other", 2)], "another module")?;

    // A policy with other labels: the old series stay, and count.
    proxy.replace_policy(&proxy.changed, &policy("route"))?;
    proxy.request("acme")?;
    proxy.counted("route", &[("acme", 1)], "other labels")?;
    proxy.counted("operation", &[("acme", 4), ("globex", 2), ("other", 2)], "other labels")?;
    let held = ["narrows_tags_series{} 11"];
    assert_eq!(series(&proxy.envoy, "narrows_tags_series")?, held, "five, three more, three that overflow");

    // Another module with other labels: what only the old VMs could name is gone with them. The
    // bound still counts it: it errs on the safe side until the proxy restarts.
    proxy.replace_module(&module("metric-tags"), &policy("route"))?;
    proxy.counted("route", &[("acme", 1)], "another module with other labels")?;
    proxy.counted("operation", &[], "series that nobody names")?;
    assert_eq!(proxy.labelled("last_seconds", "operation")?, Vec::<String>::new());
    assert_eq!(series(&proxy.envoy, "narrows_tags_series")?, held);
    Ok(())
}

fn created(envoy: &Envoy) -> anyhow::Result<u64> {
    envoy.stat("wasm.envoy.wasm.runtime.v8.created")
}

fn active(envoy: &Envoy) -> anyhow::Result<u64> {
    envoy.stat("wasm.envoy.wasm.runtime.v8.active")
}
