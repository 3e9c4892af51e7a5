//! Tunnels: `CONNECT`, which has no path.

use narrows_harness::bootstrap::{bootstrap, listener, static_cluster};
use narrows_harness::echo::{Echo, EchoOptions, Received};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_tests::entry;
use serde_json::json;

/// How a policy answers to `CONNECT git.example:443`, and what is said inside the tunnel, if it opens.
fn through(policy: &str) -> anyhow::Result<(u16, Option<String>)> {
    let echo = Echo::start("outside", EchoOptions::default())?;
    let tunnel = json!({ "match": { "connect_matcher": {} }, "route": { "cluster": "outside",
        "upgrade_configs": [{ "upgrade_type": "CONNECT", "connect_config": {} }] } });
    let routes = json!({ "name": "main", "virtual_hosts": [
        { "name": "all", "domains": ["*"], "routes": [tunnel] }] });
    let mut gateway = listener("main", &[entry("egress-policy", policy)], &routes);
    gateway["filter_chains"][0]["filters"][0]["typed_config"]["upgrade_configs"] =
        json!([{ "upgrade_type": "CONNECT" }]);
    let clusters = [static_cluster("outside", echo.addr(), false)];
    let envoy = Envoy::start(bootstrap(&[gateway], &clusters), EnvoyOptions::named("tunnel"))?;
    let mut tunnel = Connection::connect(envoy.listener("main")?)?;
    tunnel.send_raw(b"CONNECT git.example:443 HTTP/1.1\r\nhost: git.example:443\r\n\r\n")?;
    let status = tunnel.receive("HEAD")?.status;
    if status != 200 {
        return Ok((status, None));
    }
    let inside = tunnel.exchange(&Request::get("inside.example", "/admin"))?;
    Ok((status, Some(Received::from_response(&inside)?.target)))
}

/// Inside a tunnel anything may be said. So a rule that knows paths neither opens one nor lets one pass.
#[test]
fn a_rule_that_knows_paths_opens_no_tunnel() -> anyhow::Result<()> {
    let rule = |action: &str, more: &str| {
        format!(r#"{{"name": "{action}", "action": "{action}", "to": {{"hosts": ["git.example"]{more}}}}}"#)
    };
    let open = (200, Some("/admin".to_owned()));
    let closed = (403, None);
    let all = r#", "paths": [{"pathPrefix": "/"}]"#;
    let but_admin = r#", "paths": [{"pathPrefix": "/admin", "invert": true}]"#;
    let admin = r#", "paths": [{"pathPrefix": "/admin"}]"#;
    let tunnels = r#", "methods": ["CONNECT"], "ports": [443]"#;
    for (rules, expected) in [
        (rule("allow", ""), &open),
        (rule("allow", tunnels), &open),
        (rule("allow", all), &closed),
        (rule("allow", but_admin), &closed),
        ([rule("allow", ""), rule("deny", admin)].join(","), &closed),
        (
            [rule("allow", ""), rule("deny", &format!(r#"{admin}, "methods": ["GET", "POST"]"#))].join(","),
            &open,
        ),
    ] {
        let policy = format!(r#"{{"rules": [{rules}]}}"#);
        assert_eq!(&through(&policy)?, expected, "{policy}");
    }
    Ok(())
}
