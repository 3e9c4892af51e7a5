//! What becomes of a bad policy when its plugin was removed and comes back.

use std::fs;
use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use narrows_tests::{configured, is_merged};
use serde_json::{Value, json};

use crate::lifecycle::good;

const BAD: [(&str, &str); 2] = [("canary-split", r#"{"splits": 1}"#), ("header-router", r#"{"rules": 1}"#)];

/// A plugin that is deleted and made anew starts from the beginning: there is no older
/// policy to keep, so a bad one must let traffic pass.
#[test]
fn a_plugin_that_comes_back_with_a_bad_policy_passes_traffic_through() {
    if is_merged() {
        return;
    }
    for (filter, bad) in BAD {
        let mesh = Mesh::new(filter, 1);
        mesh.until("the good policy", Ok("good"));
        mesh.listen(false, 2);
        mesh.until("the listener without the plugin", Ok(""));
        let stats = || mesh.envoy.stats().unwrap();
        let vms = || stats().into_iter().find(|(name, _)| name.ends_with("wasm.wasm_vm_count"));
        if vms().is_some() {
            let gone = || Ok(vms().is_none_or(|(_, count)| count == 0).then_some(()));
            wait::until("the end of the plugin", LIMIT, gone).unwrap();
        } else {
            // Envoy 1.36 does not count them: give the old listener its time to drain.
            std::thread::sleep(Duration::from_secs(4));
        }
        mesh.ecds.push(&configured(filter, bad, None)).unwrap();
        mesh.listen(true, 3);
        mesh.until("traffic with the plugin back", Ok(""));
        mesh.envoy.wait_for_log("policy rejected").unwrap();
        for _ in 0..20 {
            assert_eq!(mesh.ask().unwrap(), Ok(String::new()), "{}", mesh.envoy.log());
        }
        assert!(mesh.envoy.log_contains("traffic passes through unchanged"), "{}", mesh.envoy.log());
    }
}

/// While the old listener drains its policy is still in force: a bad one is a later push.
/// Envoy keeps that policy, or the listener without the plugin, whichever it hears first.
#[test]
fn a_plugin_that_comes_back_while_it_drains_costs_no_request_either() {
    for (filter, bad) in BAD {
        let mesh = Mesh::new(filter, 600);
        mesh.until("the good policy", Ok("good"));
        mesh.listen(false, 2);
        mesh.until("the listener without the plugin", Ok(""));
        mesh.ecds.push(&configured(filter, bad, None)).unwrap();
        mesh.listen(true, 3);
        mesh.envoy.wait_for_log("the older policy stays in force").unwrap();
        for _ in 0..50 {
            let served = mesh.ask().unwrap();
            assert!(served.as_ref().is_ok_and(|by| by.is_empty() || by == "good"), "{served:?}");
        }
        mesh.ecds.push(&configured(filter, &format!("{} ", good(filter)), None)).unwrap();
        mesh.listen(true, 4);
        mesh.until("the mended policy", Ok("good"));
    }
}

/// An Envoy whose listener is discovered, with a plugin whose policy is discovered.
struct Mesh {
    directory: TempDir,
    ecds: Ecds,
    echo: Echo,
    envoy: Envoy,
}

impl Mesh {
    fn new(filter: &str, drain: u32) -> Self {
        let directory = TempDir::new("narrows-lds").unwrap();
        let ecds = Ecds::new(directory.path(), filter).unwrap();
        ecds.push(&configured(filter, good(filter), None)).unwrap();
        let echo = Echo::start("echo", EchoOptions::default()).unwrap();
        listen(&directory, &[ecds.filter_entry(&[WASM])], 1);
        let mut start = bootstrap(&[], &[static_cluster("echo", echo.addr(), false)]);
        start["dynamic_resources"] = json!({ "lds_config": { "path_config_source": {
            "path": directory.path().join(LDS), "watched_directory": { "path": directory.path() } } } });
        let drain = drain.to_string();
        let options = EnvoyOptions {
            // A removed plugin lives on while its old listener drains.
            arguments: ["--drain-time-s", &drain, "--drain-strategy", "immediate"]
                .map(str::to_owned)
                .to_vec(),
            ..EnvoyOptions::named(filter)
        };
        Self { envoy: Envoy::start(start, options).unwrap(), directory, ecds, echo }
    }

    /// Publishes the listener, with the plugin or without.
    fn listen(&self, plugin: bool, version: u32) {
        let entry = plugin.then(|| self.ecds.filter_entry(&[WASM]));
        listen(&self.directory, entry.as_slice(), version);
    }

    /// What the filter wrote into a request, perhaps nothing; or the status of the refusal.
    fn ask(&self) -> anyhow::Result<Result<String, u16>> {
        let answer = http1::exchange(self.envoy.listener("main")?, &Request::get("a", "/"))?;
        if answer.status != 200 {
            return Ok(Err(answer.status));
        }
        let seen = self.echo.last().ok_or_else(|| anyhow::anyhow!("no request reached the application"))?;
        Ok(Ok(seen.headers.text("x-decided").unwrap_or_default()))
    }

    fn until(&self, what: &str, expected: Result<&str, u16>) {
        let expected = expected.map(str::to_owned);
        let asked =
            wait::until(what, LIMIT, || Ok(self.ask().is_ok_and(|found| found == expected).then_some(())));
        self.envoy.context(asked).unwrap();
    }
}

fn listen(directory: &TempDir, filters: &[Value], version: u32) {
    let mut resource = listener("main", filters, &route_config(&[cluster_route("echo")]));
    resource["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    let response = json!({ "version_info": version.to_string(), "resources": [resource] });
    let draft = directory.write("lds.draft", response.to_string()).unwrap();
    fs::rename(draft, directory.path().join(LDS)).unwrap();
}

const LDS: &str = "lds.json";
const LIMIT: Duration = Duration::from_secs(20);
