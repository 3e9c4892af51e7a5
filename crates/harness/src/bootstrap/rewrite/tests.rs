use super::*;
use crate::bootstrap::{bootstrap, listener, route_config};
use crate::temp::TempDir;

fn cluster(kind: &str, host: &str, port: u16) -> Value {
    json!({
        "name": "stock",
        "type": kind,
        "dns_lookup_family": "V4_ONLY",
        "load_assignment": { "cluster_name": "stock", "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "socket_address": { "address": host, "port_value": port } } } }] }] },
    })
}

fn rewrite() -> Rewrite {
    let address = SocketAddr::from(([127, 0, 0, 1], 4711));
    Rewrite::new(Endpoints::default().with("stock", 8080, address), Path::new("dist"))
}

#[test]
fn names_become_addresses() {
    let input = bootstrap(&[], &[cluster("STRICT_DNS", "stock", 8080)]);
    let output = rewrite().apply(input).unwrap();
    let cluster = &output["static_resources"]["clusters"][0];
    assert_eq!(cluster["type"], "STATIC");
    assert!(cluster.get("dns_lookup_family").is_none());
    let host = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    let expected = json!({ "address": "127.0.0.1", "port_value": 4711 });
    assert_eq!(host["address"]["socket_address"], expected);
}

#[test]
fn an_unknown_endpoint_is_named() {
    let input = || bootstrap(&[], &[cluster("STRICT_DNS", "stock", 9090)]);
    let error = rewrite().apply(input()).unwrap_err().to_string();
    assert!(error.contains("cluster stock names stock:9090"), "{error}");
    let output = rewrite().unreachable_is_fine().apply(input()).unwrap();
    let cluster = &output["static_resources"]["clusters"][0];
    assert_eq!(cluster["load_assignment"]["endpoints"][0]["lb_endpoints"], json!([]));
}

#[test]
fn listeners_move_to_free_loopback_ports() {
    let mut outside = listener("http", &[], &route_config(&[]));
    outside["address"]["socket_address"] = json!({ "address": "0.0.0.0", "port_value": 8080 });
    let mut inside = outside.clone();
    inside["bind_to_port"] = json!(false);
    let input = bootstrap(&[outside, inside], &[]);
    let address = |output: &Value, index: usize| {
        output["static_resources"]["listeners"][index]["address"]["socket_address"].clone()
    };
    let output = rewrite().apply(input.clone()).unwrap();
    assert_eq!(address(&output, 0), json!({ "address": "127.0.0.1", "port_value": 0 }));
    assert_eq!(address(&output, 1), json!({ "address": "127.0.0.1", "port_value": 8080 }));
    let output = rewrite().fixed_ports().apply(input).unwrap();
    assert_eq!(address(&output, 0), json!({ "address": "127.0.0.1", "port_value": 8080 }));
}

#[test]
fn paths_lead_into_this_tree() {
    let dist = TempDir::new("dist").unwrap();
    let module = dist.write("canary_split.wasm", "").unwrap();
    let rewrite = Rewrite::new(Endpoints::default(), dist.path()).path("/etc/envoy", Path::new("/here"));
    let input = json!({
        "code": { "local": { "filename": "/etc/narrows/canary_split.wasm" } },
        "path_config_source": { "path": "/etc/envoy/a.json", "watched_directory": { "path": "/etc/envoy" } },
        "match": { "path": "/etc/envoy/not-a-file" },
    });
    let output = rewrite.apply(input).unwrap();
    assert_eq!(output["code"]["local"]["filename"], json!(module));
    assert_eq!(output["path_config_source"]["path"], "/here/a.json");
    assert_eq!(output["path_config_source"]["watched_directory"]["path"], "/here");
    assert_eq!(output["match"]["path"], "/etc/envoy/not-a-file");
    let missing = json!({ "filename": "x.wasm" });
    assert!(rewrite.apply(missing).unwrap_err().to_string().contains("run make filters"));
}

#[test]
fn yaml_is_read_as_envoy_reads_it() {
    let directory = TempDir::new("yaml").unwrap();
    let path = directory.write("a.yaml", "a: {b: 1, c: \"1\", d: [x, 1.5, true]}\n").unwrap();
    let expected = json!({ "a": { "b": 1, "c": "1", "d": ["x", 1.5, true] } });
    assert_eq!(read_yaml(&path).unwrap(), expected);
}
