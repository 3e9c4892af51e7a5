//! What a resource says besides its policy is written in every shape, or the resource is refused.

use std::fs;
use std::path::Path;

use super::super::{directory, narrows};

/// A plugin with more fields, and with a line for its `match`.
pub(super) fn plugin(kind_of_match: &str, more: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: edge, namespace: shop }}\nspec:\n  \
         selector: {{ matchLabels: {{ app: web }} }}\n  url: oci://r.example/narrows/header-router:0.1.0\n  \
         {kind_of_match}\n  {more}\n  \
         pluginConfig: {{ trust: mesh, rules: [{{ name: v2, route: {{ to: v2 }} }}] }}\n"
    )
}

/// An `EnvoyExtensionPolicy`, with more in the spec and in the plugin.
fn extension(spec: &str, more: &str) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\n\
         metadata: {{ name: edge, namespace: shop, labels: {{ team: a }} }}\nspec:\n  \
         targetRefs: [{{ group: gateway.networking.k8s.io, kind: Gateway, name: eg }}]\n  {spec}\n  wasm:\n    - name: edge\n      \
         code: {{ type: Image, pullPolicy: Always, image: {{ url: r.example/narrows/header-router:0.1.0, \
         pullSecretRef: {{ name: cred }} }} }}\n      {more}\n      \
         config: {{ trust: mesh, rules: [{{ name: v2, route: {{ to: v2 }} }}] }}\n"
    )
}

/// What is rendered of a text.
pub(super) fn rendered(
    here: &Path,
    text: &str,
    shape: &str,
    options: &[&str],
) -> (Option<i32>, String, String) {
    fs::write(here.join("in.yaml"), text).unwrap();
    narrows(here, &[&["render", "in.yaml", "--as", shape], options].concat())
}

/// The contexts of an `EnvoyFilter`, each with its port.
fn places(output: &str) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for line in output.lines() {
        if let Some(context) = line.trim().strip_prefix("context: ") {
            places.push(context.to_owned());
        } else if let (Some(port), Some(last)) = (line.trim().strip_prefix("portNumber: "), places.last_mut())
        {
            last.push_str(&format!(" {port}"));
        }
    }
    places
}

#[test]
fn an_envoy_filter_runs_where_the_plugin_does() {
    let here = directory("kept-places");
    for (clauses, options, expected) in [
        ("", &[][..], &["ANY"][..]),
        ("match: [{ mode: CLIENT, ports: [{ number: 8080 }] }]", &[], &["SIDECAR_OUTBOUND 8080"]),
        ("match: [{ mode: SERVER }]", &[], &["SIDECAR_INBOUND"]),
        ("match: [{ ports: [{ number: 8080 }, { number: 90 }] }]", &[], &["ANY 90", "ANY 8080"]),
        ("match: [{ mode: CLIENT_AND_SERVER }]", &[], &["ANY"]),
        // A filter is in no place twice.
        (
            "match: [{ mode: CLIENT }, { mode: CLIENT, ports: [{ number: 8080 }] }]",
            &[],
            &["SIDECAR_OUTBOUND"],
        ),
        (
            "match: [{ mode: CLIENT, ports: [{ number: 80 }] }, { ports: [{ number: 90 }, { number: 80 }] }]",
            &[],
            &["ANY 80", "ANY 90"],
        ),
        (
            "match: [{ mode: CLIENT, ports: [{ number: 80 }] }, { mode: SERVER, ports: [{ number: 90 }] }]",
            &[],
            &["SIDECAR_OUTBOUND 80", "GATEWAY 80", "SIDECAR_INBOUND 90"],
        ),
        ("match: [{ mode: CLIENT, ports: [{ number: 8443 }] }]", &["--gateway"], &["GATEWAY 8443"]),
        // The command line takes precedence.
        (
            "match: [{ mode: CLIENT, ports: [{ number: 80 }] }]",
            &["--mode", "SERVER"],
            &["SIDECAR_INBOUND 80"],
        ),
        ("match: [{ mode: CLIENT }]", &["--port", "80"], &["SIDECAR_OUTBOUND 80"]),
        ("match: [{ mode: CLIENT, ports: [{ number: 80 }] }]", &["--port", "90"], &["SIDECAR_OUTBOUND 90"]),
        ("", &["--port", "80"], &["ANY 80"]),
    ] {
        let (code, output, errors) = rendered(&here, &plugin(clauses, ""), "envoy-filter", options);
        assert_eq!(code, Some(0), "{clauses} {options:?}: {errors}");
        assert_eq!(places(&output), expected, "{clauses} {options:?}:\n{output}");
    }
    // Two plugins of lanes have the ports of their side.
    let lanes = plugin("match: [{ ports: [{ number: 80 }] }]", "")
        .replace("header-router", "traffic-lanes")
        .replace("rules: [{ name: v2, route: { to: v2 } }]", "lane: { header: x-lane, values: [gray] }");
    let (code, output, errors) = rendered(&here, &lanes, "wasm-plugin", &[]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(output.matches("number: 80").count(), 2, "{output}");
}

#[test]
fn an_option_leaves_the_rest_of_a_clause() {
    let here = directory("kept-clauses");
    let both =
        "match: [{ mode: CLIENT, ports: [{ number: 80 }] }, { mode: SERVER, ports: [{ number: 90 }] }]";
    for (clauses, options, expected) in [
        ("match: [{ mode: CLIENT }]", ["--port", "8080"], &["- mode: CLIENT", "- number: 8080"][..]),
        (both, ["--port", "8080"], &["- mode: CLIENT", "- number: 8080", "- mode: SERVER", "- number: 8080"]),
        (both, ["--mode", "SERVER"], &["- mode: SERVER", "- number: 80", "- mode: SERVER", "- number: 90"]),
        ("match: [{ ports: [{ number: 80 }] }]", ["--mode", "CLIENT"], &["- mode: CLIENT", "- number: 80"]),
        // Equal clauses are one.
        (
            "match: [{ mode: CLIENT, ports: [{ number: 80 }] }, { mode: CLIENT, ports: [{ number: 90 }] }]",
            ["--port", "8080"],
            &["- mode: CLIENT", "- number: 8080"],
        ),
        ("", ["--port", "8080"], &["- number: 8080"]),
    ] {
        let (code, output, errors) = rendered(&here, &plugin(clauses, ""), "wasm-plugin", &options);
        assert_eq!(code, Some(0), "{clauses} {options:?}: {errors}");
        let is_of_clause = |line: &&str| line.starts_with("- mode: ") || line.starts_with("- number: ");
        let written: Vec<&str> = output.lines().map(str::trim).filter(is_of_clause).collect();
        assert_eq!(written, expected, "{clauses} {options:?}:\n{output}");
    }
    // A fault in what stays is still refused.
    for (clauses, option) in [
        ("match: [{ mode: CLEINT }]", ["--port", "80"]),
        ("match: [{ ports: [{ number: \"80\" }] }]", ["--mode", "CLIENT"]),
    ] {
        let (code, _, errors) = rendered(&here, &plugin(clauses, ""), "wasm-plugin", &option);
        assert!(code == Some(2) && errors.contains("NRW603"), "{clauses}: {errors}");
    }
}

#[test]
fn an_envoy_filter_keeps_phase_strategy_and_environment() {
    let here = directory("kept-envoy");
    let more = "phase: AUTHN\n  priority: 7\n  failStrategy: FAIL_CLOSE\n  \
                vmConfig: { env: [{ name: A, value: b }, { name: C, valueFrom: HOST }] }";
    for shape in ["envoy-filter", "envoy-filter-block"] {
        let (code, output, errors) = rendered(&here, &plugin("", more), shape, &[]);
        assert_eq!(code, Some(0), "{errors}");
        for line in ["failure_policy: FAIL_CLOSED", "environment_variables:", "host_env_keys: [C]", "A: b"] {
            assert!(output.contains(line), "{shape}: {line} is missing:\n{output}");
        }
        assert_eq!(output.contains("INSERT_FIRST"), shape == "envoy-filter", "{output}");
        assert_eq!(output.contains("# It has no priority"), shape == "envoy-filter", "{output}");
    }
}

#[test]
fn envoy_gateway_keeps_the_module_and_its_strategy() {
    let here = directory("kept-gateway");
    let target = ["--target", "Gateway/eg"];
    let more = "imagePullSecret: cred\n  imagePullPolicy: Always\n  failStrategy: FAIL_CLOSE\n  \
                sha256: 00000000000000000000000000000000000000000000000000000000000000aa\n  \
                pluginName: header-router.strict\n  vmConfig: { env: [{ name: C, valueFrom: HOST }] }";
    // On a gateway all traffic is of CLIENT.
    let text = plugin("match: [{ mode: CLIENT }]", more);
    let (code, output, errors) = rendered(&here, &text, "envoy-extension-policy", &target);
    assert_eq!(code, Some(0), "{errors}");
    for lines in [
        "failOpen: false",
        "rootID: header-router.strict",
        "hostKeys: [C]",
        "          pullSecretRef:\n            kind: Secret\n            name: cred\n        pullPolicy: Always\n",
        "        image:\n          url: \"r.example/narrows/header-router:0.1.0\"\n          sha256: ",
    ] {
        assert!(output.contains(lines), "{lines} is missing:\n{output}");
    }
    // Without a strategy it is that of the filter.
    let (_, output, _) = rendered(&here, &plugin("", ""), "envoy-extension-policy", &target);
    assert!(output.contains("failOpen: true") && !output.contains("pull"), "{output}");
    for (clauses, more, field) in [
        ("match: [{ mode: CLIENT, ports: [{ number: 8080 }] }]", "", "\"match\""),
        ("match: [{ mode: SERVER }]", "", "\"match\""),
        ("", "vmConfig: { env: [{ name: A, value: b }] }", "\"vmConfig\""),
        ("", "verificationKey: a", "\"verificationKey\""),
        ("", "type: NETWORK", "\"type: NETWORK\""),
    ] {
        let (code, output, errors) =
            rendered(&here, &plugin(clauses, more), "envoy-extension-policy", &target);
        assert_eq!((code, &*output), (Some(2), ""), "{clauses}{more}");
        assert!(errors.contains(field) && errors.contains("= help: take"), "{errors}");
    }
}

#[test]
fn what_envoy_gateway_has_is_kept() {
    let here = directory("kept-extension");
    let text = extension("", "failOpen: false");
    let (code, output, errors) = rendered(&here, &text, "envoy-extension-policy", &[]);
    assert_eq!(code, Some(0), "{errors}");
    for line in [
        "name: edge",
        "namespace: shop",
        "team: a",
        "name: eg",
        "failOpen: false",
        "pullPolicy: Always",
        "name: cred",
        "url: \"r.example/narrows/header-router:0.1.0\"",
    ] {
        assert!(output.contains(line), "{line} is lost:\n{output}");
    }
    assert_eq!(rendered(&here, &output, "envoy-extension-policy", &[]).1, output);
    // Without the field it is closed.
    let (_, closed, _) = rendered(&here, &extension("", ""), "envoy-extension-policy", &[]);
    assert_eq!(closed, output);
    let text =
        extension("", "failOpen: true\n      env: { hostKeys: [C] }\n      rootID: header-router.strict");
    let (code, output, errors) = rendered(&here, &text, "wasm-plugin", &[]);
    assert_eq!(code, Some(0), "{errors}");
    for line in [
        "url: oci://r.example/narrows/header-router:0.1.0",
        "imagePullPolicy: Always",
        "imagePullSecret: cred",
        "failStrategy: FAIL_OPEN",
        "valueFrom: HOST",
        "pluginName: header-router.strict",
        "kind: Gateway",
    ] {
        assert!(output.contains(line), "{line} is lost:\n{output}");
    }
    // The command line takes precedence.
    let options = ["--target", "HTTPRoute/r", "--url", "oci://r.example/narrows/header-router:2"];
    let (_, output, _) = rendered(&here, &text, "envoy-extension-policy", &options);
    assert!(
        output.contains("name: r\n") && output.contains("header-router:2") && !output.contains("eg"),
        "{output}"
    );
}

#[test]
fn what_would_be_lost_is_refused() {
    let here = directory("kept-lost");
    let targets = |more: &str| extension("", "").replace("name: eg }", &format!("name: eg, {more} }}"));
    for (text, path, option) in [
        (extension("extProc: []", ""), "spec.extProc", Some(&["--name", "x"][..])),
        (
            extension("targetSelectors: [{ kind: Gateway }]", ""),
            "spec.targetSelectors",
            Some(&["--target", "Gateway/a"]),
        ),
        (targets("sectionName: https"), "spec.targetRefs.sectionName", Some(&["--target", "Gateway/a"])),
        (
            extension("", "").replace("name: cred }", "name: cred, namespace: other }"),
            "spec.wasm.code.image.pullSecretRef.namespace",
            Some(&["--url", "oci://r.example/narrows/header-router:2"]),
        ),
        (extension("", "failOpen: \"false\""), "spec.wasm.failOpen", None),
        (extension("", "priority: 1"), "spec.wasm.priority", None),
        (extension("", "") + "    - name: other\n      config: {}\n", "spec.wasm[1]", Some(&["--name", "x"])),
    ] {
        let (code, output, errors) = rendered(&here, &text, "envoy-extension-policy", &[]);
        assert_eq!((code, &*output), (Some(2), ""), "{path}");
        assert!(errors.contains(&format!("{path:?} of the resource would be lost")), "{path}: {errors}");
        let Some(option) = option else { continue };
        let (code, _, errors) = rendered(&here, &text, "envoy-extension-policy", option);
        assert_eq!(code, Some(0), "{path}: {errors}");
    }
    // What is about the policy alone needs none of it.
    let (code, _, errors) = rendered(&here, &extension("extProc: []", ""), "stats-tags", &[]);
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let here = directory("kept-read");
    let text = |from: &str, to: &str| plugin("", "priority: 150").replace(from, to);
    for (text, code_of, option) in [
        (text("app: web", "canary: true"), "NRW603", Some(&["--selector", "a=b"][..])),
        (text("priority: 150", "priority: \"150\""), "NRW603", Some(&["--priority", "1"])),
        (text("priority: 150", "priority: 0150"), "NRW630", Some(&["--priority", "1"])),
        (text("priority: 150", "prioriti: 150"), "NRW602", None),
        (text("priority: 150", "phase: 1"), "NRW603", Some(&["--phase", "STATS"])),
        (
            text("priority: 150", "match: [{ ports: [{ number: \"80\" }] }]"),
            "NRW603",
            Some(&["--port", "80"]),
        ),
        (text("priority: 150", "match: [{ mode: CLEINT }]"), "NRW603", Some(&["--mode", "CLIENT"])),
        (
            text("namespace: shop", "namespace: 7"),
            "the namespace of the resource",
            Some(&["--namespace", "a"]),
        ),
        (text("name: edge", "name: 7"), "NRW603", Some(&["--name", "a"])),
    ] {
        for shape in ["wasm-plugin", "traffic-extension", "envoy-filter"] {
            let (code, output, errors) = rendered(&here, &text, shape, &[]);
            assert_eq!((code, &*output), (Some(2), ""), "{shape}: {text}");
            assert!(errors.contains(code_of), "{shape}: {errors}");
        }
        let Some(option) = option else { continue };
        let (code, _, errors) = rendered(&here, &text, "wasm-plugin", option);
        assert_eq!(code, Some(0), "{text}: {errors}");
    }
    // What is missing may be said by an option.
    let unnamed = plugin("", "").replace("  url: oci://r.example/narrows/header-router:0.1.0\n", "");
    let unnamed = unnamed.replace("trust: mesh", "filter: header-router, trust: mesh");
    assert_eq!(rendered(&here, &unnamed, "wasm-plugin", &[]).0, Some(2));
    let url = ["--url", "oci://r.example/narrows/header-router:2"];
    let (code, _, errors) = rendered(&here, &unnamed, "wasm-plugin", &url);
    assert_eq!(code, Some(0), "{errors}");
    // A release is about what is written, and not about what is read.
    let newer = plugin("match: [{ mode: CLIENT }]", "failStrategy: FAIL_RELOAD");
    let (code, _, errors) = rendered(&here, &newer, "wasm-plugin", &["--istio", "1.13"]);
    assert_eq!(code, Some(0), "{errors}");
}
