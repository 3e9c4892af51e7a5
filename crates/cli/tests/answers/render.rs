//! `render` writes what the resource says that it reads, and nothing that `lint` refuses.

mod kept;
mod patches;

use std::fs;

use super::{directory, narrows};

const PLUGIN: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: stock
  namespace: shop
  labels: { team: a }
  annotations: { why: b, kubectl.kubernetes.io/last-applied-configuration: \"{}\" }
spec:
  selector: { matchLabels: { app: web } }
  match: [{ mode: CLIENT, ports: [{ number: 8080 }] }, { mode: CLIENT, ports: [{ number: 9090 }] }]
  phase: STATS
  priority: 150
  url: oci://registry.example/narrows/canary-split:0.1.0
  sha256: 00000000000000000000000000000000000000000000000000000000000000aa
  imagePullPolicy: Always
  imagePullSecret: pull
  failStrategy: FAIL_OPEN
  vmConfig: { env: [{ name: A, value: b }] }
  pluginName: canary-split.strict
  pluginConfig:
    trust: mesh
    splits:
      - name: stock
        service: stock.shop
        key: [{ header: x-user-id }]
        backends: [{ name: stable, baseline: true }, { name: canary, to: v2, weight: 5 }]
";

/// Every line of the resource that is not about its kind.
const KEPT: [&str; 18] = [
    "name: stock",
    "namespace: shop",
    "team: a",
    "why: b",
    "app: web",
    "mode: CLIENT",
    "- number: 8080",
    "- number: 9090",
    "phase: STATS",
    "priority: 150",
    "url: oci://registry.example/narrows/canary-split:0.1.0",
    "sha256: \"00000000000000000000000000000000000000000000000000000000000000aa\"",
    "imagePullPolicy: Always",
    "imagePullSecret: pull",
    "failStrategy: FAIL_OPEN",
    "value: b",
    "pluginName: canary-split.strict",
    "to: v2",
];

#[test]
fn an_attachment_is_kept() {
    let here = directory("attachment");
    fs::write(here.join("plugin.yaml"), PLUGIN).unwrap();
    let (code, output, errors) = narrows(&here, &["render", "plugin.yaml", "--as", "traffic-extension"]);
    assert_eq!(code, Some(0), "{errors}");
    for line in KEPT {
        assert!(output.contains(line), "{line} is lost:\n{output}");
    }
    assert!(!output.contains("last-applied"), "{output}");
    // Again, from what was written, it is the same.
    fs::write(here.join("extension.yaml"), &output).unwrap();
    assert_eq!(narrows(&here, &["render", "extension.yaml", "--as", "traffic-extension"]).1, output);
    let back = narrows(&here, &["render", "extension.yaml", "--as", "wasm-plugin"]).1;
    assert!(KEPT.iter().all(|line| back.contains(line)), "{back}");
    // The command line takes precedence, also over the digest of another module.
    let more =
        ["--name", "x", "--namespace", "other", "--selector", "a=b", "--mode", "SERVER", "--priority=-1"];
    let url = ["--url", "oci://registry.example/narrows/canary-split:0.2.0"];
    let arguments = [&["render", "plugin.yaml", "--as", "wasm-plugin"][..], &more, &url].concat();
    let output = narrows(&here, &arguments).1;
    for line in
        ["name: x", "namespace: other", "a: b", "mode: SERVER", "9090", "priority: -1", "canary-split:0.2.0"]
    {
        assert!(output.contains(line), "{line}:\n{output}");
    }
    assert!(
        !output.contains("sha256") && !output.contains("app: web") && !output.contains("CLIENT"),
        "{output}"
    );
}

#[test]
fn what_a_release_lacks_is_left_out() {
    let here = directory("lacks");
    fs::write(here.join("plugin.yaml"), PLUGIN.replace("FAIL_OPEN", "FAIL_RELOAD")).unwrap();
    for (istio, strategy) in [("1.13", None), ("1.19", Some("FAIL_OPEN")), ("1.27", Some("FAIL_RELOAD"))] {
        let (code, output, errors) =
            narrows(&here, &["render", "plugin.yaml", "--as", "wasm-plugin", "--istio", istio]);
        assert_eq!(code, Some(0), "{errors}");
        let written = output.lines().find_map(|line| line.trim().strip_prefix("failStrategy: "));
        assert_eq!(written, strategy, "{output}");
        assert_eq!(output.contains("# FAIL_OPEN: while"), istio == "1.19", "{output}");
        assert_eq!(output.contains("vmConfig"), istio != "1.13", "{output}");
    }
}

#[test]
fn what_lint_refuses_is_not_rendered() {
    let here = directory("refused");
    fs::write(here.join("p.yaml"), "filter: header-router\nrules: [{ name: a, route: { to: v1 } }]\n")
        .unwrap();
    let render = ["render", "p.yaml", "--as", "wasm-plugin"];
    let url = ["--url", "oci://registry.example/narrows/header-router:1"];
    for (arguments, fault) in [
        (&["--url", "ftp://registry.example/header-router:1"][..], "NRW605"),
        (&["--url", "oci://registry.example/narrows/canary-split:1"], "NRW109"),
        (&[&url[..], &["--target", "GatewayClass/istio"]].concat(), "NRW606"),
        (&[&url[..], &["--selector", "app=*"]].concat(), "NRW603"),
    ] {
        let (code, output, errors) = narrows(&here, &[&render[..], arguments].concat());
        assert_eq!((code, &*output), (Some(1), ""), "{arguments:?}");
        assert!(errors.contains(fault), "{arguments:?}: {errors}");
    }
    let (code, _, errors) = narrows(&here, &[&render[..], &["--url", "foo"]].concat());
    assert!(code == Some(2) && errors.contains("\"foo\" has no repository"), "{errors}");
    let (code, _, errors) = narrows(&here, &[&render[..], &url, &["--port", "0"]].concat());
    assert!(code == Some(2) && errors.contains("write a number from 1 to 65535"), "{errors}");
    for option in [
        &["--namespace", "a"][..],
        &["--selector", "a=b"],
        &["--mode", "CLIENT"],
        &["--phase", "STATS"],
        &["--gateway"],
    ] {
        for shape in ["envoy-filter-block", "stats-tags", "extra-stat-tags"] {
            let arguments = [&["render", "p.yaml", "--as", shape][..], option].concat();
            let (code, _, errors) = narrows(&here, &arguments);
            assert_eq!(code, Some(2), "{arguments:?}");
            assert!(errors.contains(&format!("{} has no effect on {shape}", option[0])), "{errors}");
        }
    }
}

#[test]
fn what_is_rendered_can_be_linted() {
    let here = directory("linted");
    fs::write(here.join("plugin.yaml"), PLUGIN.replace("Always", "IfNotPresent")).unwrap();
    for shape in [
        "wasm-plugin",
        "traffic-extension",
        "telemetry",
        "envoy-filter-block",
        "stats-tags",
        "extra-stat-tags",
    ] {
        let (code, output, errors) = narrows(&here, &["render", "plugin.yaml", "--as", shape]);
        assert_eq!(code, Some(0), "{shape}: {errors}");
        fs::write(here.join("rendered.yaml"), output).unwrap();
        let (code, output, _) = narrows(&here, &["lint", "rendered.yaml"]);
        let policies = usize::from(!shape.contains("tags") && shape != "telemetry");
        assert_eq!(code, Some(0), "{shape}: {output}");
        assert!(output.contains(&format!("{policies} polic")), "{shape}: {output}");
    }
}

#[test]
fn envoy_gateway_and_envoy_filter_are_read_again() {
    let here = directory("others");
    fs::write(here.join("plugin.yaml"), PLUGIN).unwrap();
    // Envoy Gateway has neither of these.
    let is_gateways = |line: &&str| !line.contains("match:") && !line.contains("vmConfig:");
    let text: String = PLUGIN.lines().filter(is_gateways).map(|line| format!("{line}\n")).collect();
    fs::write(here.join("gateway.yaml"), text).unwrap();
    let gateway = [
        "render",
        "gateway.yaml",
        "--as",
        "envoy-extension-policy",
        "--target",
        "HTTPRoute/shop",
        "--strict",
    ];
    let (code, policy, errors) = narrows(&here, &gateway);
    assert_eq!(code, Some(0), "{errors}");
    for line in [
        "kind: EnvoyExtensionPolicy",
        "kind: HTTPRoute",
        "rootID: canary-split.strict",
        "url: \"registry.example/narrows/canary-split:0.1.0\"",
        "failOpen: true",
        "to: v2",
    ] {
        assert!(policy.contains(line), "{line} is missing:\n{policy}");
    }
    fs::write(here.join("policy.yaml"), &policy).unwrap();
    assert_eq!(narrows(&here, &["diff", "plugin.yaml", "policy.yaml"]).0, Some(0));
    let (code, _, errors) = narrows(&here, &["render", "plugin.yaml", "--as", "envoy-extension-policy"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("there is nothing to attach to"), "{errors}");
    let filter = ["render", "plugin.yaml", "--as", "envoy-filter", "--url", "file:///etc/canary-split.wasm"];
    let (code, filter, errors) =
        narrows(&here, &[&filter[..], &["--mode", "CLIENT", "--port", "8080"]].concat());
    assert_eq!(code, Some(0), "{errors}");
    for line in
        ["kind: EnvoyFilter", "context: SIDECAR_OUTBOUND", "portNumber: 8080", "app: web", "subFilter:"]
    {
        assert!(filter.contains(line), "{line} is missing:\n{filter}");
    }
    fs::write(here.join("filter.yaml"), &filter).unwrap();
    assert_eq!(narrows(&here, &["diff", "plugin.yaml", "filter.yaml"]).0, Some(0));
}
