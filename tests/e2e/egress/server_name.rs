//! `sni`: one TLS connection for several hosts, on a real connection.

use narrows_harness::bootstrap::{
    bootstrap, listener, route_config, static_cluster, tcp_listener, wasm_filter,
};
use narrows_harness::certificates::Certificates;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::root;
use narrows_tests::{STRICT, module};
use serde_json::{Value, json};

const POLICY: &str = r#"{ "default": "deny", "sni": "SNI", "rules": [
    { "name": "w", "action": "allow", "to": { "hosts": ["*.corp.example"] } },
    { "name": "no", "action": "deny", "to": { "hosts": ["secret.corp.example"] } } ] }"#;
/// The names that connections are opened to.
const NAMES: [&str; 4] = ["api.corp.example", "secret.corp.example", "front.example", "outbound_.443_._.gw"];
const SERVER: &str = "infra/gateway";
const CLIENT: &str = "shop/web";

#[test]
fn a_connection_serves_the_hosts_that_its_name_may_stand_beside() -> anyhow::Result<()> {
    let certificates = Certificates::make_for(&root(), &[SERVER, CLIENT])?;
    for (word, expected) in [
        // By name; the hosts are `api` and `hr`, both allowed, and `secret`.
        ("same", [[200, 421, 421], [421, 421, 403], [421, 421, 421], [200, 200, 403]]),
        ("rules", [[200, 200, 403], [421, 421, 403], [421, 421, 421], [200, 200, 403]]),
        ("ignore", [[200, 200, 403], [200, 200, 403], [200, 200, 403], [200, 200, 403]]),
    ] {
        let server = Envoy::start(gateway(word, &certificates), EnvoyOptions::named(word))?;
        let (listeners, clusters): (Vec<_>, Vec<_>) = NAMES
            .iter()
            .map(|name| {
                let mut cluster = static_cluster(name, server.listener("main").unwrap(), false);
                let mut socket = certificates.tls("Upstream", Some(CLIENT));
                socket["typed_config"]["sni"] = json!(name);
                cluster["transport_socket"] = socket;
                (tcp_listener(name, name), cluster)
            })
            .unzip();
        let callers = Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("callers"))?;
        for (name, expected) in NAMES.iter().zip(expected) {
            let hosts = ["api.corp.example", "hr.corp.example", "secret.corp.example"];
            let ask = |host: &&str| http1::exchange(callers.listener(name)?, &Request::get(host, "/"));
            let statuses =
                hosts.iter().map(|host| Ok(ask(host)?.status)).collect::<anyhow::Result<Vec<_>>>()?;
            assert_eq!(statuses, expected, "{word}, opened to {name}");
        }
    }
    Ok(())
}

fn gateway(word: &str, certificates: &Certificates) -> Value {
    let policy = POLICY.replace("SNI", word);
    let filter =
        wasm_filter("narrows.egress-policy", &module("egress-policy"), &policy, STRICT, "FAIL_RELOAD");
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } })]);
    let mut main = listener("main", &[filter], &routes);
    let mut socket = certificates.tls("Downstream", Some(SERVER));
    socket["typed_config"]["require_client_certificate"] = json!(true);
    main["filter_chains"][0]["transport_socket"] = socket;
    // Only this listener filter tells Envoy the name; Istio's gateways have it.
    main["listener_filters"] = json!([{
        "name": "envoy.filters.listener.tls_inspector",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector" },
    }]);
    bootstrap(&[main], &[])
}
