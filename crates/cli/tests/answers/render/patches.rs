//! What an `EnvoyFilter` says besides its policy is written again, or the resource is refused.

use std::path::Path;

use super::super::directory;
use super::kept::{plugin, rendered};

#[test]
fn an_envoy_filter_is_read_with_its_proxies() {
    let here = directory("kept-envoy-filter");
    let (_, all, _) = rendered(&here, &plugin("", ""), "envoy-filter", &[]);
    let url = ["--url", "oci://r.example/narrows/header-router:2"];
    let (code, output, errors) = rendered(&here, &all, "wasm-plugin", &url);
    assert_eq!(code, Some(0), "{errors}");
    for line in ["name: edge", "namespace: shop", "app: web"] {
        assert!(output.contains(line), "{line} is lost:\n{output}");
    }
    let (_, one, _) = rendered(
        &here,
        &plugin("match: [{ mode: CLIENT, ports: [{ number: 80 }] }]", ""),
        "envoy-filter",
        &[],
    );
    let (code, _, errors) = rendered(&here, &one, "wasm-plugin", &url);
    assert!(code == Some(2) && errors.contains("\"spec.configPatches.match.context\""), "{errors}");
    // The direction says nothing of the ports, and they say nothing of it.
    for (options, path, help) in [
        (&["--port", "80"][..], "match.context", "say --mode or --gateway;"),
        (&["--mode", "CLIENT"], "match.listener.portNumber", "say --port;"),
        (&["--gateway"], "match.listener.portNumber", "say --port;"),
    ] {
        for shape in ["wasm-plugin", "envoy-filter"] {
            let url = if shape == "wasm-plugin" { &url[..] } else { &[] };
            let (code, output, errors) = rendered(&here, &one, shape, &[url, options].concat());
            assert_eq!((code, &*output), (Some(2), ""), "{shape} {options:?}");
            assert!(errors.contains(&format!("\"spec.configPatches.{path}\"")), "{errors}");
            assert!(errors.contains(help), "{errors}");
        }
    }
    let (code, output, errors) =
        rendered(&here, &one, "wasm-plugin", &[&url[..], &["--mode", "CLIENT", "--port", "80"]].concat());
    assert!(code == Some(0) && output.contains("number: 80"), "{errors}");
}

/// An `EnvoyFilter` that says more than `render` would of its policy: how it fails, its environment, its file,
/// its place and its priority.
fn changed(here: &Path) -> String {
    let (code, text, errors) = rendered(here, &plugin("", ""), "envoy-filter", &[]);
    assert_eq!(code, Some(0), "{errors}");
    [
        ("# It is the first filter, before authentication: it reads no claims of a token.\n", LAST),
        ("spec:\n", "spec:\n  priority: -10\n"),
        (MANAGER, &format!("{MANAGER}{ROUTER}")),
        ("INSERT_FIRST", "INSERT_BEFORE"),
        ("FAIL_RELOAD", "FAIL_OPEN"),
        ("filename: dist/header-router.wasm", "filename: /etc/narrows/narrows-header-router.wasm"),
        (AFTER_STRICT, &format!("{AFTER_STRICT}{ENVIRONMENT}")),
    ]
    .iter()
    .fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}:\n{text}");
        text.replace(from, to)
    })
}

const LAST: &str = "# The filter that decides is the last one, after authorization.\n";
const MANAGER: &str = "              name: envoy.filters.network.http_connection_manager\n";
const ROUTER: &str = "              subFilter:\n                name: envoy.filters.http.router\n";
const AFTER_STRICT: &str = "                  value: \"{\\\"strict\\\": true}\"\n";
const ENVIRONMENT: &str = "                environment_variables:\n                  host_env_keys: [A]\n                  \
                           key_values:\n                    B: c\n";
/// The module in a file, and behind an address.
const FILE: &str = "local:\n                    filename: /etc/narrows/narrows-header-router.wasm";
const REMOTE: &str =
    "remote: { http_uri: { uri: \"https://r.example/header-router.wasm\", cluster: r, timeout: 5s } }";
/// A patch that is not of the policy.
const LUA: &str = "    - applyTo: HTTP_FILTER
      match: { context: ANY }
      patch:
        operation: INSERT_BEFORE
        value:
          name: envoy.filters.http.lua
          typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, inlineCode: x }
";

#[test]
fn an_envoy_filter_is_written_as_it_was() {
    let here = directory("patches-again");
    let text = changed(&here);
    let (code, output, errors) = rendered(&here, &text, "envoy-filter", &[]);
    assert_eq!((code, &*output), (Some(0), &*text), "{errors}");
    // The command line takes precedence.
    let (_, output, _) = rendered(&here, &text, "envoy-filter", &["--url", "file:///a/header-router.wasm"]);
    assert!(output.contains("filename: /a/header-router.wasm") && output.contains("FAIL_OPEN"), "{output}");
    // JSON of Envoy has the names in another spelling.
    let json = [
        ("typed_config", "typedConfig"),
        ("failure_policy", "failurePolicy"),
        ("vm_config", "vmConfig"),
        ("environment_variables", "environmentVariables"),
        ("host_env_keys", "hostEnvKeys"),
        ("key_values", "keyValues"),
    ];
    let json = json.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
    assert_eq!(rendered(&here, &json, "envoy-filter", &[]).1, text);
    // Without a word it fails closed, or open by the older field.
    let silent = text.replace("              failure_policy: FAIL_OPEN\n", "");
    let (_, output, _) = rendered(&here, &silent, "envoy-filter", &[]);
    assert!(output.contains("failure_policy: FAIL_CLOSED"), "{output}");
    let older = text.replace("failure_policy: FAIL_OPEN", "fail_open: true");
    assert_eq!(rendered(&here, &older, "envoy-filter", &[]).1, text);
}

#[test]
fn a_plugin_has_what_the_envoy_filter_says() {
    let here = directory("patches-plugin");
    let url = ["--url", "oci://r.example/narrows/header-router:2"];
    let text = changed(&here);
    let options = [&url[..], &["--priority", "7"]].concat();
    let (code, output, errors) = rendered(&here, &text, "wasm-plugin", &options);
    assert_eq!(code, Some(0), "{errors}");
    for line in [
        "phase: STATS",
        "priority: 7",
        "failStrategy: FAIL_OPEN",
        "- name: A\n        valueFrom: HOST\n",
        "- name: B\n        value: c\n",
    ] {
        assert!(output.contains(line), "{line} is lost:\n{output}");
    }
    let (_, output, _) =
        rendered(&here, &text, "wasm-plugin", &[&options[..], &["--phase", "AUTHZ"]].concat());
    assert!(output.contains("phase: AUTHZ"), "{output}");
    // The place that the policy should have needs no word, and its phase is finer.
    let (_, own, _) = rendered(&here, &plugin("", ""), "envoy-filter", &[]);
    assert!(own.contains("INSERT_FIRST"), "{own}");
    let (_, output, _) = rendered(&here, &own, "wasm-plugin", &url);
    assert!(output.contains("phase: AUTHZ"), "{output}");
}

#[test]
fn what_render_writes_is_read_again() {
    let here = directory("patches-pair");
    let rewriting = plugin("", "pluginName: header-router")
        .replace("trust: mesh, rules: [{ name: v2, route: { to: v2 } }]", REWRITING);
    let merged = rewriting
        .replace("narrows/header-router", "narrows/narrows")
        .replace("pluginName: header-router", "pluginName: narrows")
        .replace(REWRITING, &format!("router: {{ {REWRITING} }}"));
    for text in [&rewriting, &merged] {
        let (code, pair, errors) = rendered(&here, text, "envoy-filter", &[]);
        assert_eq!((code, pair.matches("operation: ").count()), (Some(0), 2), "{errors}{pair}");
        let (code, again, errors) = rendered(&here, &pair, "envoy-filter", &[]);
        assert_eq!((code, &*again), (Some(0), &*pair), "{errors}");
        // Two filters of a policy are written alike.
        let other = pair.replacen("FAIL_RELOAD", "FAIL_OPEN", 1);
        let (code, _, errors) = rendered(&here, &other, "envoy-filter", &[]);
        assert!(code == Some(2) && errors.contains("\"spec.configPatches[1].patch.value\""), "{errors}");
    }
    // Where the policy that decides would be first, its place is kept, and a filter before it is not.
    let (_, pair, _) = rendered(&here, &rewriting, "envoy-filter", &[]);
    let routing = pair
        .replace("\"rewrite\": { \"path\": { \"replaceFull\": \"/x\" } }", "\"route\": { \"to\": \"v2\" }");
    assert_ne!(routing, pair);
    let (code, output, errors) = rendered(&here, &routing, "envoy-filter", &[]);
    assert!(code == Some(2) && output.is_empty() && errors.contains("only strips would be lost"), "{errors}");
    // A filter of the module with all of them is told by its root id, in a file too.
    let one = plugin("", "pluginName: header-router").replace("narrows/header-router", "narrows/narrows");
    let file = ["--url", "/etc/narrows.wasm"];
    let (_, text, _) = rendered(&here, &one, "envoy-filter", &file);
    assert!(text.contains("root_id: header-router"), "{text}");
    assert_eq!(rendered(&here, &text, "envoy-filter", &[]).1, text);
}

const REWRITING: &str = "strip: [x-a], rules: [{ name: r, rewrite: { path: { replaceFull: /x } } }]";

#[test]
fn what_an_envoy_filter_would_lose_is_refused() {
    let here = directory("patches-lost");
    let text = changed(&here);
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}:\n{text}");
        text.replacen(from, to, 1)
    };
    for (text, path, option) in [
        (format!("{text}{LUA}"), "spec.configPatches[1]", Some(["--name", "x"])),
        (
            with("applyTo: HTTP_FILTER", "applyTo: EXTENSION_CONFIG"),
            "spec.configPatches[0]",
            Some(["--name", "x"]),
        ),
        (with("priority: -10", "more: 1"), "spec.more", Some(["--name", "x"])),
        (with("priority: -10", "priority: a"), "spec.priority", None),
        (with("INSERT_BEFORE", "INSERT_AFTER"), "spec.configPatches.patch.operation", None),
        (with("http.router\n", "http.jwt_authn\n"), "spec.configPatches.patch.operation", None),
        (
            with("operation: INSERT", "filterClass: AUTHN\n        operation: INSERT"),
            "spec.configPatches.patch.filterClass",
            None,
        ),
        (with("context: ANY", "proxy: {}"), "spec.configPatches.match.proxy", None),
        (
            with("filterChain:", "name: a\n          filterChain:"),
            "spec.configPatches.match.listener.name",
            None,
        ),
        (
            with("FAIL_OPEN", "FAIL_SOMEHOW"),
            "spec.configPatches.patch.value.typed_config.config.failure_policy",
            None,
        ),
        (
            with("failure_policy: FAIL", "reload_config: {}\n              failure_policy: FAIL"),
            "spec.configPatches.patch.value.typed_config.config.reload_config",
            None,
        ),
        (
            with("runtime.v8", "runtime.wamr"),
            "spec.configPatches.patch.value.typed_config.config.vm_config.runtime",
            None,
        ),
        (
            with("B: c", "B: 1"),
            "spec.configPatches.patch.value.typed_config.config.vm_config.environment_variables.key_values.B",
            None,
        ),
        (
            with(FILE, REMOTE),
            "spec.configPatches.patch.value.typed_config.config.vm_config.code.remote",
            Some(["--url", "/etc/header-router.wasm"]),
        ),
        (with("app: web", "app: 1"), "spec.workloadSelector.labels.app", Some(["--selector", "a=b"])),
    ] {
        let (code, output, errors) = rendered(&here, &text, "envoy-filter", &[]);
        assert_eq!((code, &*output), (Some(2), ""), "{path}");
        assert!(errors.contains(&format!("{path:?} of the resource would be lost")), "{path}: {errors}");
        let Some(option) = option else { continue };
        let (code, _, errors) = rendered(&here, &text, "envoy-filter", &option);
        assert_eq!(code, Some(0), "{path}: {errors}");
    }
}

#[test]
fn what_is_lost_depends_on_the_shape() {
    let here = directory("patches-shapes");
    let text = changed(&here);
    // The priority of patches is not that of a plugin.
    let url = ["--url", "oci://r.example/narrows/header-router:2"];
    let (code, _, errors) = rendered(&here, &text, "wasm-plugin", &url);
    assert!(
        code == Some(2) && errors.contains("\"spec.priority\"") && errors.contains("--priority"),
        "{errors}"
    );
    // Another place needs a phase.
    let after = text.replace("INSERT_BEFORE", "INSERT_AFTER").replace("  priority: -10\n", "");
    let (code, _, errors) =
        rendered(&here, &after, "wasm-plugin", &[&url[..], &["--phase", "AUTHZ"]].concat());
    assert_eq!(code, Some(0), "{errors}");
    // A Telemetry, and what is about the policy alone, leave the resource as it is.
    for shape in ["stats-tags", "envoy-filter-block"] {
        let (code, _, errors) = rendered(&here, &format!("{text}{LUA}"), shape, &[]);
        assert_eq!(code, Some(0), "{shape}: {errors}");
    }
    let (_, text, _) = rendered(&here, super::PLUGIN, "envoy-filter", &[]);
    let (code, _, errors) = rendered(&here, &format!("{text}{LUA}"), "telemetry", &[]);
    assert_eq!(code, Some(0), "{errors}");
}
