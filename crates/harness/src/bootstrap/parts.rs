//! The parts of a small bootstrap, as JSON that a test may still change.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::form::{Attached, Form};

/// A bootstrap of these listeners and clusters.
pub fn bootstrap(listeners: &[Value], clusters: &[Value]) -> Value {
    json!({ "static_resources": { "listeners": listeners, "clusters": clusters } })
}

/// A listener on a free loopback port, for HTTP/1.1 and HTTP/2. The router is
/// appended to the filters.
pub fn listener(name: &str, http_filters: &[Value], route_config: &Value) -> Value {
    let mut http_filters = http_filters.to_vec();
    http_filters.push(native_filter(
        "envoy.filters.http.router",
        "envoy.extensions.filters.http.router.v3.Router",
        json!({}),
    ));
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network\
                          .http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "http_filters": http_filters,
                "route_config": route_config,
            },
        }] }],
    })
}

/// A listener on a free loopback port that carries bytes as they are to a cluster.
pub fn tcp_listener(name: &str, cluster: &str) -> Value {
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": name,
                "cluster": cluster,
            },
        }] }],
    })
}

/// A route table with one virtual host for every host.
pub fn route_config(routes: &[Value]) -> Value {
    json!({ "name": "local", "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] })
}

/// A route of everything to one cluster. A test may put a `match` before it.
pub fn cluster_route(cluster: &str) -> Value {
    json!({ "match": { "prefix": "/" }, "route": { "cluster": cluster } })
}

/// A cluster of one endpoint.
pub fn static_cluster(name: &str, address: SocketAddr, http2: bool) -> Value {
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "socket_address": {
                "address": address.ip().to_string(), "port_value": address.port() } } } }] }] },
    });
    if http2 {
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        });
    }
    cluster
}

/// The entry of a filter that is part of Envoy: `config_type` is the name of
/// the message that `config` fills.
pub fn native_filter(name: &str, config_type: &str, config: Value) -> Value {
    let mut config = config;
    config["@type"] = json!(format!("type.googleapis.com/{config_type}"));
    json!({ "name": name, "typed_config": config })
}

/// The entry of Envoy's RBAC filter that refuses, with 403, every request with that header.
pub fn refusing_filter(header: &str) -> Value {
    let refused = json!({ "permissions": [{ "header": { "name": header, "present_match": true } }],
                          "principals": [{ "any": true }] });
    native_filter(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        json!({ "rules": { "action": "DENY", "policies": { "no": refused } } }),
    )
}

/// The entry of a Wasm filter; see [`wasm_config`].
pub fn wasm_filter(
    name: &str,
    wasm: &Path,
    policy: &str,
    vm_config: Option<&str>,
    failure_policy: &str,
) -> Value {
    json!({ "name": name, "typed_config": wasm_config(name, wasm, policy, vm_config, failure_policy) })
}

/// The typed configuration of a Wasm filter in a V8 machine of its own, unless [`Form`] says otherwise.
///
/// `policy` and `vm_config` are handed over as they are, JSON or not.
/// `failure_policy` is Envoy's: `FAIL_RELOAD`, `FAIL_CLOSED`, `FAIL_OPEN`.
pub fn wasm_config(
    name: &str,
    wasm: &Path,
    policy: &str,
    vm_config: Option<&str>,
    failure_policy: &str,
) -> Value {
    wasm_config_in(Form::chosen(), name, wasm, policy, vm_config, failure_policy)
}

/// The typed configuration of a Wasm filter in some form.
pub fn wasm_config_in(
    form: Form,
    name: &str,
    wasm: &Path,
    policy: &str,
    vm_config: Option<&str>,
    failure_policy: &str,
) -> Value {
    let Attached { wasm, root_id, policy, vm_id } = form.attach(wasm, policy);
    let text =
        |value: &str| json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": value });
    let mut vm = json!({
        "vm_id": vm_id.unwrap_or(name),
        "runtime": "envoy.wasm.runtime.v8",
        "code": { "local": { "filename": wasm } },
    });
    if let Some(vm_config) = vm_config {
        vm["configuration"] = text(vm_config);
    }
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": name,
            "root_id": root_id,
            "failure_policy": failure_policy,
            "configuration": text(&policy),
            "vm_config": vm,
        },
    })
}

/// Ends a cluster's connections after so many requests.
pub fn limit_connections(cluster: &mut Value, requests: u32) {
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "common_http_protocol_options": { "max_requests_per_connection": requests },
            "explicit_http_config": { "http_protocol_options": {} },
        },
    });
}
