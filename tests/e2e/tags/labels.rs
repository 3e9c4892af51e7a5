//! The exact series of `/stats/prometheus`, by each way to get labels out of names; and the
//! filter state that is published.

use narrows::render::Shape;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use serde_json::{Value, json};

use super::{answering, istio, send, series, settle, start, stats_tags};
use crate::rendered::rendered;
use narrows_tests::tags::{policies, readme};

const OPERATIONS: [&str; 3] = [
    "requests_total{code=\"2xx\",operation=\"/books/{id}\"} 2",
    "requests_total{code=\"2xx\",operation=\"/static/*\"} 1",
    "requests_total{code=\"5xx\",operation=\"unmatched\"} 1",
];

fn drive(client: &mut Connection) -> anyhow::Result<()> {
    for target in ["/books/1?a=b", "/books/2", "/static/a/b", "/fail", "/metrics", "/stats/prometheus"] {
        send(client, target, &[])?;
    }
    Ok(())
}

/// All series of a metric but the overflow's, which is there from the start.
fn counted(envoy: &Envoy, name: &str) -> anyhow::Result<Vec<String>> {
    Ok(series(envoy, name)?.into_iter().filter(|line| !line.ends_with(" 0")).collect())
}

#[test]
fn with_stats_tags() -> anyhow::Result<()> {
    let policy = &policies()[0];
    let (envoy, mut client) = start(policy, &stats_tags(policy))?;
    drive(&mut client)?;
    settle(&envoy, "requests_total", 4.0)?;
    assert_eq!(counted(&envoy, "requests_total")?, OPERATIONS);
    assert_eq!(series(&envoy, "requests_total")?.len(), 4);
    assert!(series(&envoy, "requests_total")?.contains(&"requests_total{overflow=\"true\"} 0".to_owned()));
    let durations = counted(&envoy, "request_duration_milliseconds_count")?;
    assert_eq!(
        durations,
        [
            "request_duration_milliseconds_count{operation=\"/books/{id}\"} 2",
            "request_duration_milliseconds_count{operation=\"/static/*\"} 1",
            "request_duration_milliseconds_count{operation=\"unmatched\"} 1",
        ]
    );
    assert_eq!(series(&envoy, "narrows_tags_series")?, ["narrows_tags_series{} 8"]);
    Ok(())
}

#[test]
fn with_istios_bootstrap() -> anyhow::Result<()> {
    let policy = &policies()[0];
    let (envoy, mut client) = start(policy, &istio(policy))?;
    drive(&mut client)?;
    settle(&envoy, "requests_total", 4.0)?;
    assert_eq!(counted(&envoy, "requests_total")?, OPERATIONS);
    Ok(())
}

#[test]
fn with_istios_bootstrap_as_it_comes() -> anyhow::Result<()> {
    let policy = r#"{ "trust": "mesh", "labels": "stock",
        "tags": { "lane": { "header": "x-lane", "stockLabel": "wasm_filter" },
                  "version": { "header": "x-version", "stockLabel": "tag" },
                  "operation": { "pathTemplates": [ "/books/{id}" ], "stockLabel": "component" },
                  "code": { "statusClass": true, "stockLabel": "response_code_class" } },
        "metrics": [ { "name": "requests", "tags": [ "lane", "version", "operation", "code" ] } ],
        "limits": { "maxSeries": 5 } }"#;
    for stats in [istio(policy), stats_tags(policy)] {
        let (envoy, mut client) = start(policy, &stats)?;
        send(&mut client, "/books/1", &[("x-lane", b"blue"), ("x-version", b"v1.2.3")])?;
        send(&mut client, "/fail", &[("x-lane", b"my.stag"), ("x-version", b"a.component.evil.b")])?;
        send(&mut client, "/", &[("x-lane", b"cache"), ("x-version", b"tag.x;.")])?;
        send(&mut client, "/", &[("x-lane", b"istio_dry_run_allow_a"), ("x-version", b"shadow_allowed")])?;
        send(&mut client, "/", &[("x-lane", b"one too many")])?;
        settle(&envoy, "requests_rq", 5.0)?;
        assert_eq!(
            series(&envoy, "requests_rq")?,
            [
                "requests_rq{component=\"/books/{id}\",response_code_class=\"2xx\",tag=\"v1.2.3\",wasm_filter=\"blue\"} 1",
                "requests_rq{component=\"other\",response_code_class=\"2xx\",tag=\"_shadow_allowed\",wasm_filter=\"_istio_dry_run_allow_a\"} 1",
                "requests_rq{component=\"other\",response_code_class=\"2xx\",tag=\"tag_x__\",wasm_filter=\"cache_\"} 1",
                "requests_rq{component=\"other\",response_code_class=\"5xx\",tag=\"a.component_evil.b\",wasm_filter=\"my_stag_\"} 1",
                "requests_rq{component=\"overflow\",response_code_class=\"0xx\",tag=\"overflow\",wasm_filter=\"overflow\"} 1",
            ]
        );
    }
    Ok(())
}

/// The README shows what the command line renders for its policies.
#[test]
fn the_readme_shows_what_is_rendered() -> anyhow::Result<()> {
    let policies = policies();
    let shown: Vec<Value> =
        readme("yaml").iter().map(|text| serde_saphyr::from_str(text)).collect::<Result<_, _>>()?;
    let find = |field: &str| shown.iter().find(|shown| !shown[field].is_null()).unwrap();
    assert_eq!(*find("meshConfig"), rendered("metric-tags", &policies[0], Shape::ExtraStatTags));
    let stats_tags = stats_tags(&policies[0]);
    for tag in find("stats_config")["stats_config"]["stats_tags"].as_array().unwrap() {
        assert!(stats_tags["stats_tags"].as_array().unwrap().contains(tag), "{tag} is not in {stats_tags}");
    }
    let telemetry = rendered("metric-tags", &policies[2], Shape::Telemetry);
    assert_eq!(find("spec")["spec"], telemetry["spec"]);
    Ok(())
}

#[test]
fn what_is_published_is_in_the_access_log() -> anyhow::Result<()> {
    let policy = r#"{ "trust": "mesh",
        "tags": { "operation": { "pathTemplates": [ "/books/{id}" ] }, "status": { "statusClass": true },
                  "tenant": { "header": "x-tenant", "maxValues": 1 } },
        "publish": [ "operation", "status", "tenant" ] }"#;
    let mut config = answering(policy, &Value::Null);
    let manager =
        &mut config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let state = |tag: &str| {
        format!("%FILTER_STATE(wasm.narrows_{tag}:PLAIN)% %CEL(filter_state['wasm.narrows_{tag}'])%")
    };
    manager["access_log"] = json!([{ "name": "stdout", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "log_format": { "text_format_source": { "inline_string":
            format!("published {} {} {}\n", state("operation"), state("status"), state("tenant")) } } } }]);
    let envoy = Envoy::start(config, EnvoyOptions::named("published"))?;
    let mut client = Connection::connect(envoy.listener("main")?)?;
    send(&mut client, "/books/1", &[("x-tenant", b"acme")])?;
    send(&mut client, "/fail", &[("x-tenant", b"late")])?;
    envoy.wait_for_log("published /books/{id} /books/{id} 2xx 2xx acme acme")?;
    envoy.wait_for_log("published other other 5xx 5xx other other")?;
    Ok(())
}
