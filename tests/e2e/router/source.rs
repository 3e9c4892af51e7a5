//! Whose address is `source.address`? Where Envoy trusts `x-forwarded-for`, whoever writes it.

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_tests::Bench;
use serde_json::{Value, json};

const POLICY: &str = r#"{ "rules": [
    { "name": "office", "matches": [ { "source": { "cidrs": ["10.1.0.0/16"] } } ], "route": { "to": "office" } },
    { "name": "loopback", "matches": [ { "source": { "cidrs": ["127.0.0.0/8"] } } ], "route": { "to": "loopback" } } ] }"#;

/// To which rule each `x-forwarded-for` leads, under these settings of the connection manager.
fn rules(settings: &[(&str, Value)], forwarded: &[&str]) -> Vec<String> {
    let plan = Bench::of(&[("header-router", POLICY)]).named("source");
    let plan = settings.iter().fold(plan, |plan, (name, value)| plan.hcm(name, value.clone()));
    let bench = plan.start().unwrap();
    let mut client = bench.client(Protocol::Http1).unwrap();
    let mut rule = |forwarded: &str| {
        let request = Request::get("shop", "/");
        let request =
            if forwarded.is_empty() { request } else { request.header("x-forwarded-for", forwarded) };
        assert_eq!(client.exchange(&request).unwrap().status, 200);
        bench.echo.last().unwrap().headers.text("x-narrows-route").unwrap_or_default()
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
