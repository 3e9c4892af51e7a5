//! Whose address is `source.address`? Where Envoy trusts `x-forwarded-for`, whoever writes it.

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::Request;
use narrows_tests::{STRICT, configured};
use serde_json::{Value, json};

const POLICY: &str = r#"{ "rules": [
    { "name": "office", "matches": [ { "source": { "cidrs": ["10.1.0.0/16"] } } ], "route": { "to": "office" } },
    { "name": "loopback", "matches": [ { "source": { "cidrs": ["127.0.0.0/8"] } } ], "route": { "to": "loopback" } } ] }"#;

/// To which rule each `x-forwarded-for` leads, under these settings of the connection manager.
fn rules(settings: &[(&str, Value)], forwarded: &[&str]) -> Vec<String> {
    let echo = Echo::start("echo", EchoOptions::default()).unwrap();
    let entry = json!({ "name": "router", "typed_config": configured("header-router", POLICY, STRICT) });
    let mut listener = listener("main", &[entry], &route_config(&[cluster_route("echo")]));
    for (name, value) in settings {
        listener["filter_chains"][0]["filters"][0]["typed_config"][name] = value.clone();
    }
    let start = bootstrap(&[listener], &[static_cluster("echo", echo.addr(), false)]);
    let envoy = Envoy::start(start, EnvoyOptions::named("source")).unwrap();
    let mut client = Client::connect(Protocol::Http1, envoy.listener("main").unwrap()).unwrap();
    let mut rule = |forwarded: &str| {
        let request = Request::get("shop", "/");
        let request =
            if forwarded.is_empty() { request } else { request.header("x-forwarded-for", forwarded) };
        assert_eq!(client.exchange(&request).unwrap().status, 200);
        echo.last().unwrap().headers.text("x-narrows-route").unwrap_or_default()
    };
    forwarded.iter().map(|forwarded| rule(forwarded)).collect()
}

const FORGED: [&str; 4] = ["", "10.1.2.3", "10.1.2.3, 127.0.0.1", "127.0.0.1, 10.1.2.3"];

#[test]
fn a_client_chooses_its_address_unless_the_connection_decides() {
    // Envoy's default, and what Istio writes for sidecars: the last address that is written is
    // believed, whoever wrote it.
    let by_header = ["loopback", "office", "loopback", "office"];
    assert_eq!(rules(&[], &FORGED), by_header);
    assert_eq!(rules(&[("use_remote_address", json!(false))], &FORGED), by_header);
    // What Istio writes for gateways.
    assert_eq!(rules(&[("use_remote_address", json!(true))], &FORGED), ["loopback"; 4]);
    // Behind one proxy that is trusted, which appends whom it saw: the one before it.
    let trusted = [("use_remote_address", json!(true)), ("xff_num_trusted_hops", json!(1))];
    assert_eq!(rules(&trusted, &FORGED), by_header);
}
