//! What becomes of counters when the policy, or the module, is replaced while Envoy runs.

use narrows_testkit::bootstrap::{bootstrap, listener, route_config, wasm_config};
use narrows_testkit::ecds::{Ecds, WASM};
use narrows_testkit::envoy::{Envoy, EnvoyOptions};
use narrows_testkit::http1::Connection;
use narrows_testkit::temp::TempDir;
use narrows_tests::{STRICT, module};
use serde_json::json;

use super::{send, series, settle, stats_tags};

fn policy(operation: &str) -> String {
    format!(
        r#"{{ "trust": "mesh",
             "tags": {{ "{operation}": {{ "pathTemplates": [ "/books/{{id}}" ] }}, "tenant": {{ "header": "x-tenant", "maxValues": 2 }} }},
             "metrics": [ {{ "name": "requests_total", "tags": [ "{operation}", "tenant" ] }} ],
             "limits": {{ "maxSeries": 20 }} }}"#
    )
}

#[test]
fn counters_survive_a_policy_and_a_module() -> anyhow::Result<()> {
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
    let counted = || -> anyhow::Result<Vec<String>> {
        Ok(series(&envoy, "requests_total")?.into_iter().filter(|line| !line.ends_with(" 0")).collect())
    };
    for tenant in ["acme", "acme", "globex", "hooli"] {
        request(tenant)?;
    }
    settle(&envoy, "requests_total", 4.0)?;
    let first = [
        "requests_total{operation=\"/books/{id}\",tenant=\"acme\"} 2",
        "requests_total{operation=\"/books/{id}\",tenant=\"globex\"} 1",
        "requests_total{operation=\"/books/{id}\",tenant=\"other\"} 1",
    ];
    assert_eq!(counted()?, first);

    // A policy that counts the same: everything goes on, and the tenants are known.
    anyhow::ensure!(
        ecds.push_to(&envoy, &config(&module("metric-tags"), &policy("operation").replace("20", "21")))?
    );
    request("acme")?;
    request("hooli")?;
    settle(&envoy, "requests_total", 6.0)?;
    assert_eq!(counted()?[0], first[0].replace("} 2", "} 3"));
    assert_eq!(counted()?[2], first[2].replace("} 1", "} 2"), "hooli is still one too many");

    // Another module: the new VM has defined everything before the old one goes.
    anyhow::ensure!(ecds.push_to(&envoy, &config(&changed, &policy("operation").replace("20", "21")))?);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(counted()?[0], first[0].replace("} 2", "} 3"), "without a request");
    request("acme")?;
    request("globex")?;
    settle(&envoy, "requests_total", 8.0)?;
    assert_eq!(counted()?[0], first[0].replace("} 2", "} 4"));
    assert_eq!(counted()?[1], first[1].replace("} 1", "} 2"));

    // A policy with other labels: the old series stay, and count.
    anyhow::ensure!(ecds.push_to(&envoy, &config(&changed, &policy("route")))?);
    request("acme")?;
    settle(&envoy, "requests_total", 9.0)?;
    let now = counted()?;
    assert!(now.contains(&first[0].replace("} 2", "} 4")), "{now:?}");
    assert!(now.contains(&"requests_total{route=\"/books/{id}\",tenant=\"acme\"} 1".to_owned()), "{now:?}");
    assert_eq!(
        series(&envoy, "narrows_tags_series")?,
        ["narrows_tags_series{} 5"],
        "three, one more, one overflow"
    );

    // Another module with other labels: what only the old VM had is gone with it.
    anyhow::ensure!(ecds.push_to(&envoy, &config(&module("metric-tags"), &policy("route")))?);
    std::thread::sleep(std::time::Duration::from_secs(1));
    println!("after a module that does not count them any more: {:?}", counted()?);
    assert!(counted()?.contains(&"requests_total{route=\"/books/{id}\",tenant=\"acme\"} 1".to_owned()));
    Ok(())
}
