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

#[test]
fn a_kind_in_another_letter_case_is_named() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HttpRoute\nmetadata: { name: a }\n";
    for (text, help) in [
        (SERVICE.replace("VirtualService", "Virtualservice"), "write VirtualService"),
        (PLUGIN.replace("WasmPlugin", "Wasmplugin"), "write WasmPlugin"),
        (route.to_owned(), "write HTTPRoute"),
    ] {
        let output = lint("kind", &text);
        assert!(output.contains("warning[NRW662]") && output.contains(help), "{output}");
    }
    // Another program has kinds of its own.
    for text in [
        SERVICE
            .replace("networking.istio.io/v1", "example.com/v1")
            .replace("VirtualService", "Virtualservice"),
        "kind: service\nname: a\n".to_owned(),
    ] {
        let output = lint("kind", &text);
        assert!(!output.contains("NRW662"), "{output}");
    }
}

#[test]
fn where_nothing_is_found_that_is_said() {
    let here = directory("nearly-empty");
    fs::create_dir_all(here.join("empty")).unwrap();
    fs::create_dir_all(here.join("other")).unwrap();
    fs::write(here.join("empty.yaml"), "").unwrap();
    fs::write(here.join("other/values.yaml"), "replicas: 1\n").unwrap();
    for (name, told) in [
        ("empty", "note: no policy found in \"empty\": no file there ends in .yaml, .yml or .json"),
        ("empty.yaml", "note: no policy found in \"empty.yaml\""),
        ("other", "note: no policy found in \"other\": its one file has none"),
    ] {
        let (code, _, errors) = narrows(&here, &["lint", name]);
        assert!(code == Some(0) && errors.contains(told), "{name}: {errors}");
    }
    fs::write(here.join("other/shop.yaml"), SERVICE).unwrap();
    assert_eq!(narrows(&here, &["lint", "other"]).2, "");
}

#[test]
fn the_other_of_two_equal_policies_has_a_place() {
    let here = directory("nearly-twice");
    fs::write(here.join("a.yaml"), format!("# first\n{PLUGIN}")).unwrap();
    fs::write(here.join("b.yaml"), PLUGIN.replace("name: a,", "name: b,")).unwrap();
    let (_, output, _) = narrows(&here, &["lint", "a.yaml", "b.yaml"]);
    assert!(output.contains("warning[NRW637]"), "{output}");
    assert!(output.contains("= help: keep one of them: the other one is at a.yaml:2\n"), "{output}");
}
