//! At a waypoint the caller is known by the tunnel in which its call came: the filter stands
//! on a listener inside the proxy, whose connection has no certificate.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, tcp_listener,
};
use narrows_harness::certificates::Certificates;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_harness::root;
use narrows_tests::{entry, lacks};
use serde_json::{Value, json};

use super::PATIENCE;

const WAYPOINT: &str = "waypoint~10.0.0.2~waypoint-0.shop~shop.svc.cluster.local";
const EXTENSIONS: &str = "type.googleapis.com/envoy.extensions";

const EGRESS: &str = r#"{"default": "deny", "rules": [
    {"name": "search", "action": "allow", "from": {"principals": ["spiffe://cluster.local/ns/logs/sa/shipper"]}, "to": {"hosts": ["search-1.example.net"]}},
    {"name": "open", "action": "allow", "to": {"hosts": ["open.example.net"]}},
    {"name": "not-other", "action": "deny", "from": {"namespaces": ["other"]}, "to": {"hosts": ["*.example.net"]}} ]}"#;
const ROUTER: &str = r#"{"trust": "mesh", "rules": [{"name": "r",
    "matches": [{"source": {"principals": ["spiffe://cluster.local/ns/logs/sa/*"]}}],
    "requestHeaders": {"set": {"x-by-principal": "1"}}}]}"#;
const SPLIT: &str = r#"{"trust": "mesh", "splits": [{"name": "s", "key": [{"principal": true}],
    "backends": [{"name": "b", "baseline": true}, {"name": "c", "weight": 100, "to": "v2"}]}]}"#;
const TAGS: &str = r#"{"trust": "mesh", "tags": {"from": {"sourcePrincipal": true}},
    "metrics": [{"name": "calls_total", "tags": ["from"]}]}"#;

struct Waypoint {
    proxy: Envoy,
    callers: Envoy,
    echo: Echo,
}

impl Waypoint {
    fn start(node: &str, certificates: &Certificates, callers: &str) -> Self {
        let echo = Echo::start("echo", EchoOptions::default()).unwrap();
        let listeners = [outer(certificates), inner(callers)];
        let mut config = bootstrap(&listeners, &[to_inner(), static_cluster("echo", echo.addr(), false)]);
        config["node"] = json!({ "id": node, "cluster": "waypoint.shop" });
        config["bootstrap_extensions"] = json!([{
            "name": "envoy.bootstrap.internal_listener",
            "typed_config": { "@type": format!("{EXTENSIONS}.bootstrap.internal_listener.v3.InternalListener") },
        }]);
        let proxy =
            Envoy::start(config, EnvoyOptions { ready_within: PATIENCE, ..EnvoyOptions::named("waypoint") })
                .unwrap();
        let at = proxy.listener("connect_terminate").unwrap();
        let sides = ["logs/shipper", "other/other"].map(|account| tunnel(account, at, certificates));
        let (tunnels, clusters): (Vec<Value>, Vec<Value>) = sides.into_iter().unzip();
        let callers = Envoy::start(bootstrap(&tunnels, &clusters), EnvoyOptions::named("tunnels")).unwrap();
        Self { proxy, callers, echo }
    }

    fn ask(&self, caller: &str, host: &str) -> Response {
        let at = self.callers.listener(caller).unwrap();
        self.proxy.context(http1::exchange(at, &Request::get(host, "/"))).unwrap()
    }

    fn counted(&self, from: &str) -> u64 {
        let all = self.proxy.stats().unwrap();
        let of = |name: &str| name.contains("calls_total") && name.contains(&format!("from=.={from};.;"));
        all.iter().filter(|(name, _)| of(name)).map(|(_, count)| *count).sum()
    }
}

/// The listener inside the proxy, with the filters.
fn inner(callers: &str) -> Value {
    let with = |policy: &str| policy.replacen('{', &format!(r#"{{"callers": "{callers}", "#), 1);
    let filters = [
        ("header-router", ROUTER),
        ("canary-split", SPLIT),
        ("metric-tags", TAGS),
        ("egress-policy", EGRESS),
    ]
    .map(|(filter, policy)| entry(filter, &with(policy)));
    let mut inner = listener("main_internal", &filters, &route_config(&[cluster_route("echo")]));
    inner.as_object_mut().unwrap().remove("address");
    inner["internal_listener"] = json!({});
    inner["traffic_direction"] = json!("INBOUND");
    inner
}

/// The listener in which a tunnel ends.
fn outer(certificates: &Certificates) -> Value {
    let peer = json!({
        "name": "envoy.filters.http.set_filter_state",
        "typed_config": {
            "@type": format!("{EXTENSIONS}.filters.http.set_filter_state.v3.Config"),
            "on_request_headers": [{
                "object_key": "io.istio.peer_principal",
                // As Istio's: else two callers may have one connection to the inner listener.
                "factory_key": "envoy.hashable_string",
                "format_string": { "text_format_source": { "inline_string": "%DOWNSTREAM_PEER_URI_SAN%" } },
                "shared_with_upstream": "ONCE",
            }],
        },
    });
    let connect = json!({
        "match": { "connect_matcher": {} },
        "route": {
            "cluster": "main_internal",
            "upgrade_configs": [{ "upgrade_type": "CONNECT", "connect_config": {} }],
        },
    });
    let mut outer = listener("connect_terminate", &[peer], &route_config(&[connect]));
    let manager = &mut outer["filter_chains"][0]["filters"][0]["typed_config"];
    manager["upgrade_configs"] = json!([{ "upgrade_type": "CONNECT" }]);
    manager["http2_protocol_options"] = json!({ "allow_connect": true });
    let mut socket = certificates.tls("Downstream", Some("istio-system/waypoint"));
    socket["typed_config"]["require_client_certificate"] = json!(true);
    socket["typed_config"]["common_tls_context"]["alpn_protocols"] = json!(["h2"]);
    outer["filter_chains"][0]["transport_socket"] = socket;
    outer
}

/// The way from the one to the other.
fn to_inner() -> Value {
    json!({
        "name": "main_internal",
        "connect_timeout": "2s",
        "load_assignment": { "cluster_name": "main_internal", "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "envoy_internal_address": { "server_listener_name": "main_internal" } } } }] }] },
        "transport_socket": {
            "name": "envoy.transport_sockets.internal_upstream",
            "typed_config": {
                "@type": format!("{EXTENSIONS}.transport_sockets.internal_upstream.v3.InternalUpstreamTransport"),
                "transport_socket": {
                    "name": "envoy.transport_sockets.raw_buffer",
                    "typed_config": { "@type": format!("{EXTENSIONS}.transport_sockets.raw_buffer.v3.RawBuffer") },
                },
            },
        },
    })
}

/// A caller's side: bytes in, a tunnel out.
fn tunnel(account: &str, at: SocketAddr, certificates: &Certificates) -> (Value, Value) {
    let mut tunnel = tcp_listener(account, account);
    tunnel["filter_chains"][0]["filters"][0]["typed_config"]["tunneling_config"] =
        json!({ "hostname": "10.1.2.3:80" });
    let mut cluster = static_cluster(account, at, true);
    let mut socket = certificates.tls("Upstream", Some(account));
    socket["typed_config"]["common_tls_context"]["alpn_protocols"] = json!(["h2"]);
    cluster["transport_socket"] = socket;
    (tunnel, cluster)
}

#[test]
fn the_caller_at_a_waypoint_is_the_one_of_the_tunnel() {
    if lacks(38, "filter state under Istio's own name, in the stock Envoy that plays the waypoint,") {
        return;
    }
    let accounts = ["istio-system/waypoint", "logs/shipper", "other/other"];
    let certificates = Certificates::make_for(&root(), &accounts).unwrap();
    for callers in ["presented", "verified"] {
        let waypoint = Waypoint::start(WAYPOINT, &certificates, callers);
        let rule = |answer: &Response| answer.headers.text("x-narrows-egress");
        let answer = waypoint.ask("logs/shipper", "search-1.example.net:9200");
        assert_eq!((answer.status, rule(&answer)), (200, None), "{callers}: {}", answer.text());
        let seen = waypoint.echo.last().unwrap();
        assert_eq!(seen.headers.text("x-by-principal").as_deref(), Some("1"), "{callers}");
        // Its name is a key, and the canary has all keys.
        assert_eq!(seen.headers.text("x-narrows-route").as_deref(), Some("v2"), "{callers}");
        for host in ["search-1.example.net:9200", "open.example.net"] {
            let answer = waypoint.ask("other/other", host);
            let denied = (403, Some("denied; rule=not-other".to_owned()));
            assert_eq!((answer.status, rule(&answer)), denied, "{callers}: {host}: {}", answer.text());
        }
        assert_eq!(waypoint.counted("spiffe://cluster.local/ns/logs/sa/shipper"), 1, "{callers}");
        assert_eq!(waypoint.counted("spiffe://cluster.local/ns/other/sa/other"), 2, "{callers}");
    }
}

/// Elsewhere anybody may have written that filter state.
#[test]
fn nowhere_else_is_that_filter_state_read() {
    if lacks(38, "filter state under Istio's own name, in the stock Envoy that plays the waypoint,") {
        return;
    }
    let accounts = ["istio-system/waypoint", "logs/shipper", "other/other"];
    let certificates = Certificates::make_for(&root(), &accounts).unwrap();
    for node in [
        "router~10.0.0.2~gateway-0.shop~shop.svc.cluster.local",
        "waypoints~10.0.0.2~waypoint-0.shop~shop.svc.cluster.local",
        "waypoint",
    ] {
        let proxy = Waypoint::start(node, &certificates, "presented");
        let answer = proxy.ask("logs/shipper", "search-1.example.net:9200");
        // A proxy that is none of Istio's does not judge what comes in.
        let judged = node.starts_with("router~");
        assert_eq!(answer.status == 403, judged, "{node}");
        if !judged {
            let seen = proxy.echo.last().unwrap();
            assert!(!seen.headers.contains("x-by-principal"), "{node}");
            assert!(!seen.headers.contains("x-narrows-route"), "{node}");
        }
        assert_eq!(proxy.ask("other/other", "open.example.net").status, 200, "{node}");
        assert_eq!(proxy.counted("unknown"), 2, "{node}");
    }
}
