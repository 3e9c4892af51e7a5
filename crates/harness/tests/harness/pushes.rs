//! Configurations that change while Envoy runs.

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, native_filter, route_config, static_cluster,
};
use narrows_harness::ecds::Ecds;
use narrows_harness::echo::{Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use serde_json::{Value, json};

#[test]
fn a_pushed_configuration_takes_effect() -> anyhow::Result<()> {
    let directory = TempDir::new("ecds")?;
    // Istio's names hold slashes.
    let ecds = Ecds::new(directory.path(), "extensions.istio.io/wasmplugin/shop.lane")?;
    ecds.push(&lane("one"))?;
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(discovered(&ecds, &echo), EnvoyOptions::default())?;
    let address = envoy.listener("http")?;
    let seen = || -> anyhow::Result<Option<String>> {
        let response = http1::exchange(address, &Request::get("stock", "/"))?;
        Ok(Received::from_response(&response)?.headers.text("x-lane"))
    };
    assert_eq!(seen()?.as_deref(), Some("one"));
    assert!(ecds.push_to(&envoy, &lane("two"))?);
    assert_eq!(envoy.stat(&ecds.stat("update_success"))?, 2);
    assert_eq!(seen()?.as_deref(), Some("two"));
    for refused in [lane(""), json!({ "@type": "type.googleapis.com/no.such.Message" })] {
        assert!(!ecds.push_to(&envoy, &refused)?);
        assert_eq!(seen()?.as_deref(), Some("two"), "the one before stays");
    }
    assert!(ecds.push_to(&envoy, &lane("three"))?);
    assert_eq!(seen()?.as_deref(), Some("three"));
    Ok(())
}

/// A filter that sets `x-lane`. An empty value stands for a configuration that
/// Envoy refuses.
fn lane(value: &str) -> Value {
    let key = if value.is_empty() { "" } else { "x-lane" };
    let append = json!({ "append": { "header": { "key": key, "value": value } } });
    let config = json!({ "mutations": { "request_mutations": [append] } });
    native_filter("lane", HEADER_MUTATION, config)["typed_config"].clone()
}

fn discovered(ecds: &Ecds, echo: &Echo) -> Value {
    let filters = [ecds.filter_entry(&[HEADER_MUTATION])];
    bootstrap(
        &[listener("http", &filters, &route_config(&[cluster_route("stock")]))],
        &[static_cluster("stock", echo.addr(), false)],
    )
}

const HEADER_MUTATION: &str = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
