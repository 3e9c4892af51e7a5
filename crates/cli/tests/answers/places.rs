//! What lint says of gateways and ports, and where it finds policies.

use std::fs;
use std::process::Command;

use super::{directory, narrows};

/// A plugin that is right but for what its test is about.
fn plugin(namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: p, namespace: {namespace} }}\n\
         spec: {{ url: 'oci://registry.example/narrows/header-router:0.1.0', phase: AUTHZ, priority: 200, failStrategy: FAIL_RELOAD, \
         pluginConfig: {{ trust: mesh }}, {spec} }}\n"
    )
}

const GATEWAY: &str = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: g, namespace: edge }\nspec:\n  \
    selector: { SELECTOR }\n  servers: [{ hosts: ['*'], port: { name: https, number: PORT, protocol: HTTPS } }]\n";

fn gateway(selector: &str, port: u16) -> String {
    GATEWAY.replace("SELECTOR", selector).replace("PORT", &port.to_string())
}

#[test]
fn a_gateway_of_the_files_is_known() {
    let here = directory("gateways");
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: edge }\nspec:\n  selector: { app: edge }\n  \
        ports: [{ name: https, port: 443, targetPort: 8443 }]\n";
    let deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web-deployment, namespace: shop }\n\
        spec: { template: { metadata: { labels: { app: web } } } }\n";
    let ingress = "selector: { matchLabels: { istio: ingressgateway } }";
    let edge = "selector: { matchLabels: { app: edge } }";
    for (text, expected) in [
        // The port of a Gateway in the files.
        (
            plugin("istio-system", &format!("{ingress}, match: [{{ ports: [{{ number: 9443 }}] }}]")),
            Some("NRW607"),
        ),
        (
            plugin("istio-system", &format!("{ingress}, match: [{{ ports: [{{ number: 9443 }}] }}]"))
                + &gateway("istio: ingressgateway", 9443),
            None,
        ),
        // The label that Istio's chart gives a gateway in a namespace of its own, and misspelt ones.
        (plugin("istio-ingress", "selector: { matchLabels: { istio: ingress } }"), None),
        (plugin("istio-ingress", ingress), None),
        (plugin("shop", ingress), Some("NRW606")),
        (plugin("istio-system", "selector: { matchLabels: { istio: ingress-gateway } }"), Some("NRW606")),
        // A gateway of one's own: SERVER never runs, and ports are those that the proxy listens on.
        (plugin("edge", &format!("{edge}, match: [{{ mode: SERVER }}]")), None),
        (
            plugin("edge", &format!("{edge}, match: [{{ mode: SERVER }}]")) + &gateway("app: edge", 443),
            Some("NRW607"),
        ),
        (plugin("edge", &format!("{edge}, match: [{{ mode: CLIENT }}]")) + &gateway("app: edge", 443), None),
        (
            plugin("edge", &format!("{edge}, match: [{{ ports: [{{ number: 443 }}] }}]"))
                + &gateway("app: edge", 443)
                + service,
            Some("NRW607"),
        ),
        (
            plugin("edge", &format!("{edge}, match: [{{ ports: [{{ number: 8443 }}] }}]"))
                + &gateway("app: edge", 443)
                + service,
            None,
        ),
        // Pods that nearly have the labels, and pods that have nothing to do with it.
        (plugin("shop", "selector: { matchLabels: { app: web-deployment } }") + deployment, Some("NRW635")),
        (plugin("shop", "selector: { matchLabels: { app: web } }") + deployment, None),
        (plugin("shop", "selector: { matchLabels: { app: stock } }") + deployment, None),
        (plugin("other", "selector: { matchLabels: { app: web-deployment } }") + deployment, None),
    ] {
        fs::write(here.join("p.yaml"), &text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "p.yaml"]);
        assert_eq!(code, Some(i32::from(expected.is_some())), "{text}{output}");
        assert!(expected.is_none_or(|code| output.contains(code)), "{text}{output}");
    }
    // Another root namespace.
    let text = plugin(
        "istio-config",
        "targetRefs: [{ kind: GatewayClass, group: gateway.networking.k8s.io, name: istio-waypoint }]",
    );
    fs::write(here.join("p.yaml"), text).unwrap();
    assert_eq!(narrows(&here, &["lint", "p.yaml"]).0, Some(1));
    assert_eq!(narrows(&here, &["lint", "p.yaml", "--root-namespace", "istio-config"]).0, Some(0));
}

#[test]
fn one_filter_alone_is_told_where_it_belongs() {
    let here = directory("alone");
    let rules = "trust: mesh, rules: [{ name: a, route: { to: v1 } }]";
    let text = plugin("shop", "").replace("phase: AUTHZ, ", "").replace("trust: mesh", rules);
    fs::write(here.join("p.yaml"), text).unwrap();
    let (_, output, _) = narrows(&here, &["lint", "p.yaml"]);
    assert!(
        output.contains("without a phase header-router runs after every other filter of Narrows"),
        "{output}"
    );
    assert!(!output.contains("canary-split"), "{output}");
}

/// A policy with a fault, wherever it is found.
const FAULT: &str = r#"{"trust": "mesh", "ruls": []}"#;

#[test]
fn policies_are_found_where_people_have_them() {
    let here = directory("places");
    let quoted = serde_json::Value::from(FAULT).to_string();
    let wasm = format!(
        r#"{{"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {{"name": "shop.header-router", "rootId": "header-router",
            "vmConfig": {{"code": {{"local": {{"filename": "/var/lib/istio/data/1/header-router.wasm"}}}}}},
            "configuration": {{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": {quoted}}}}}}}"#
    );
    let file = format!(
        "static_resources:\n  listeners:\n  - http_filters:\n    - name: n\n      typed_config: {wasm}\n"
    );
    let indented: String = file.replace('\n', " \n").lines().map(|line| format!("    {line}\n")).collect();
    for (name, text) in [
        (
            "plugins.json",
            format!(
                r#"{{"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPluginList", "items": [{{"metadata": {{"name": "a"}}, "spec":
                {{"url": "oci://r.example/n/header-router:0.1.0", "phase": "AUTHZ", "priority": 200, "failStrategy": "FAIL_RELOAD", "pluginConfig": {FAULT}}}}}]}}"#
            ),
        ),
        (
            "dump.json",
            format!(
                r#"{{"configs": [{{"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [{{"ecds_filter":
                {{"@type": "x", "typed_config": {}}}}}]}}]}}"#,
                wasm.replace("rootId", "root_id").replace("vmConfig", "vm_config")
            ),
        ),
        (
            "listeners.json",
            format!(
                r#"[{{"filterChains": [{{"filters": [{{"typedConfig": {{"httpFilters": [{{"typedConfig": {wasm}}}]}}}}]}}]}}]"#
            ),
        ),
        ("block.yaml", format!("- name: a\n  typed_config: {wasm}\n")),
        (
            "map.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: a }}\ndata:\n  envoy.yaml: |\n{indented}"
            ),
        ),
        (
            "gateway.yaml",
            format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {{ name: a }}\nspec:\n  wasm:\n  \
                - name: a\n    rootID: header-router\n    code: {{ type: Image, image: {{ url: r.example/n/header-router:0.1.0 }} }}\n    config: {FAULT}\n"
            ),
        ),
    ] {
        fs::write(here.join(name), text).unwrap();
        let (code, output, _) = narrows(&here, &["lint", name]);
        assert_eq!(code, Some(1), "{name}: {output}");
        assert!(output.contains("error[NRW101]: unknown field \"ruls\""), "{name}: {output}");
        assert!(output.contains("ruls\n") && output.contains("1 policy"), "{name}: {output}");
        // The other commands find it too.
        let (code, _, errors) = narrows(&here, &["render", name, "--as", "stats-tags"]);
        assert!(code == Some(2) && errors.contains("NRW101"), "{name}: {errors}");
    }
}

#[test]
fn make_finds_what_cargo_built() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let Ok(run) = Command::new("make")
        .args(["-n", "filters"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", "/elsewhere")
        .output()
    else {
        // A machine without make builds in another way.
        return;
    };
    let lines = String::from_utf8(run.stdout).unwrap();
    assert!(lines.contains("cp /elsewhere/wasm32-unknown-unknown/release/"), "{lines}");
}
