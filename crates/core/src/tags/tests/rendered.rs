//! What a proxy must be told.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::DESIGN;
use crate::policy::Policy;
use crate::tags::Tagger;
use crate::tree::Tree;

fn tagger(policy: &str) -> Tagger {
    Tagger::compile(&Tree::parse(policy.as_bytes()).unwrap()).unwrap()
}

#[test]
fn stats_tags() {
    let tagger = tagger(DESIGN);
    assert_eq!(tagger.label_names(), ["backend", "code", "operation", "overflow", "tag"]);
    assert!(tagger.stats_tags().starts_with(
        "stats_config:\n  stats_tags:\n  - tag_name: backend\n    regex: '^wasmcustom\\.(?:.*;\\.;)?(backend=\\.=(.*?);\\.;)'\n"
    ));
    assert!(
        tagger.extra_stat_tags().contains("    extraStatTags:\n    - backend\n    - code\n    - operation\n")
    );
}

#[test]
fn telemetry() {
    let text = tagger(DESIGN).telemetry("tags", "bobs-books");
    assert!(text.contains("  name: tags\n  namespace: bobs-books\n"), "{text}");
    let overrides = "      tagOverrides:\n        backend:\n          value: filter_state[\"wasm.narrows_backend\"]\n        \
                     operation:\n          value: filter_state[\"wasm.narrows_operation\"]\n";
    assert!(text.ends_with(overrides), "{text}");
    assert_eq!(tagger("{}").telemetry("a", "b"), "");
}

#[test]
fn stock_labels_need_nothing_of_istio() {
    let stock = tagger(
        r#"{"labels": "stock", "tags": {"t": {"header": "a", "stockLabel": "tag"}}, "metrics": [{"name": "m", "tags": ["t"]}]}"#,
    );
    assert_eq!(stock.extra_stat_tags(), "");
    assert!(stock.stats_tags().contains("- tag_name: component\n    regex: '(component\\.(.+?)\\.)'\n"));
}
