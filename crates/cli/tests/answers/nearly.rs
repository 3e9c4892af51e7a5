//! What is nearly right: lint says what was meant, once, and takes nothing right for wrong.

use std::fs;

use super::{directory, narrows};

/// What lint prints of a text.
fn lint(name: &str, text: &str) -> String {
    let here = directory(&format!("nearly-{name}"));
    fs::write(here.join("x.yaml"), text).unwrap();
    let (code, output, errors) = narrows(&here, &["lint", "x.yaml"]);
    assert_ne!(code, Some(2), "{errors}");
    output + &errors
}

const SERVICE: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: reviews, namespace: shop }\nspec:\n  \
    hosts: [reviews]\n  http:\n  - match: [{ headers: { x-a: { exact: b } } }]\n    route: [{ destination: { host: reviews, subset: v1 } }]\n";

const PLUGIN: &str = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: a, namespace: shop }\nspec:\n  \
    selector: { matchLabels: { app: shop } }\n  match: [{ mode: SERVER }]\n  failStrategy: FAIL_RELOAD\n  \
    url: oci://registry.example/narrows/header-router:0.1.0\n  sha256: 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n  phase: AUTHN\n  priority: 300\n  \
    pluginConfig: { trust: edge, strip: [x-a] }\n";

#[test]
fn a_misspelt_field_of_a_resource_is_named() {
    for (text, old, new, meant) in [
        (SERVICE, "exact", "exat", "exact"),
        (SERVICE, "subset", "subest", "subset"),
        (SERVICE, "hosts", "hots", "hosts"),
        (PLUGIN, "pluginConfig", "pluginconfig", "pluginConfig"),
        (PLUGIN, "url", "ulr", "url"),
        (PLUGIN, "matchLabels", "matchLables", "matchLabels"),
    ] {
        assert!(text.contains(old), "{old}");
        let output = lint("field", &text.replace(old, new));
        let at = output.find(&format!("has no field {new:?} here")).unwrap_or_else(|| panic!("{output}"));
        assert!(output[at..].contains(&format!("= help: did you mean {meant:?}?")), "{output}");
    }
    // What is near to nothing gets the list.
    let output = lint("field", &SERVICE.replace("subset", "banana"));
    assert!(output.contains("= help: known here: host, subset, port"), "{output}");
}

#[test]
fn a_service_that_another_one_delegates_to_has_no_hosts() {
    let delegate = SERVICE.replace("  hosts: [reviews]\n", "");
    assert!(delegate.len() < SERVICE.len());
    let output = lint("delegate", &delegate);
    assert!(output.starts_with("0 errors and 0 warnings"), "{output}");
    let output = lint("delegate", &SERVICE.replace("hosts: [reviews]", "gateways: [edge]"));
    assert!(output.contains("error[NRW604]: \"hosts\" is missing"), "{output}");
}

#[test]
fn a_misspelt_phase_is_one_fault() {
    let right = lint("phase", PLUGIN);
    assert!(right.starts_with("0 errors and 0 warnings"), "{right}");
    let output = lint("phase", &PLUGIN.replace("AUTHN", "AUTN"));
    assert!(output.contains("error[NRW603]: unknown value \"AUTN\""), "{output}");
    assert!(output.contains("1 error and 0 warnings"), "{output}");
}
