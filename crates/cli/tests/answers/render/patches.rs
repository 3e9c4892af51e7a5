//! What an `EnvoyFilter` says besides its policy is written again, or the resource is refused.

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
