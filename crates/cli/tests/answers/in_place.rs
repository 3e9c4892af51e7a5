//! What changes a file in place changes what it says, and nothing else.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

/// Runs `set-weight` on a text, with this name after the file.
fn set(here: &Path, text: &str, name: &str, backend: &str) -> (Option<i32>, String, String) {
    fs::write(here.join("p.yaml"), text).unwrap();
    let file = format!("p.yaml{name}");
    let (code, output, errors) =
        narrows(here, &["set-weight", &file, "--backend", backend, "10", "--allow-back"]);
    (code, format!("{output}{errors}"), fs::read_to_string(here.join("p.yaml")).unwrap())
}

/// A plugin with a split in this namespace.
fn plugin(name: &str, namespace: &str, weight: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: {name}, namespace: {namespace} }}\n\
         spec:\n  url: oci://r.example/narrows/canary-split:0.1.0\n  pluginConfig:\n    filter: canary-split\n    \
         splits:\n    - name: s\n      key: [{{ header: x }}]\n      backends:\n      - {{ name: a, baseline: true }}\n      \
         - {{ name: b, to: b, weight: {weight} }}\n"
    )
}

#[test]
fn a_name_in_two_namespaces_is_not_one_policy() {
    let here = directory("in-place-namespaces");
    let both = |of_b: &str| format!("{}---\n{}", plugin("stock", "a", "20"), plugin("stock", of_b, "20"));
    let text = both("b");
    for (name, told) in [
        (
            "",
            "there are several policies in \"p.yaml\"\n  = help: choose one: p.yaml#a/stock, p.yaml#b/stock",
        ),
        (
            "#stock",
            "several policies in \"p.yaml\" are called \"stock\"\n  = help: choose one: p.yaml#a/stock, p.yaml#b/stock",
        ),
        ("#c/stock", "there is no policy \"c/stock\" in \"p.yaml\"\n  = help: write one of a/stock, b/stock"),
    ] {
        let (code, said, written) = set(&here, &text, name, "b");
        assert!(code == Some(2) && said.contains(told), "{name}: {said}");
        assert_eq!(written, text);
    }
    for name in ["#b/stock", "#2"] {
        let (code, said, written) = set(&here, &text, name, "b");
        let expected = both("b").replacen("weight: 20", "weight: X", 1).replace("weight: 20", "weight: 10");
        assert_eq!((code, written), (Some(0), expected.replace("weight: X", "weight: 20")), "{said}");
    }
    // Commands that only read take no other one either.
    let (code, _, errors) = narrows(&here, &["digest", "p.yaml#stock"]);
    assert!(code == Some(2) && errors.contains("choose one: p.yaml#a/stock, p.yaml#b/stock"), "{errors}");
    // One name in one namespace: only their numbers tell them apart.
    let (code, said, _) = set(&here, &both("a").replacen("20", "30", 1), "#stock", "b");
    assert!(code == Some(2) && said.contains("choose one: p.yaml#1, p.yaml#2"), "{said}");
}
