#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Parts;
use crate::filter::router::Router;
use crate::language::policy_value::PolicyValue;
use crate::policy::Policy;

fn compile(policy: &str) -> Result<Router, crate::language::invalid::Invalid> {
    PolicyValue::parse(policy.as_bytes()).and_then(|tree| Router::compile(&tree))
}

fn list(count: usize, of: impl Fn(usize) -> String) -> String {
    let texts: Vec<String> = (0..count).map(|n| format!("{:?}", of(n))).collect();
    format!("[{}]", texts.join(","))
}

#[test]
fn a_policy_weighs_the_same_everywhere() {
    let policy = r#"{ "rules": [{ "name": "a", "matches": [
        { "hosts": ["a.example", "*.b.example"], "path": { "in": ["/a", "/b"] }, "method": { "in": ["GET", "PUT"] },
          "headers": { "x": { "regex": "a(b|[c-f])*g{3}" }, "y": { "contains": "abc" }, "z": { "range": { "from": 1, "to": 77 } } } }],
        "rewrite": { "path": { "regex": { "match": "^/v([0-9]+)", "replace": "/\\1" } } } }] }"#;
    let weight = compile(policy).unwrap().common().weight;
    assert_eq!(weight.bytes, 8_643);
    let Parts { texts, index, expressions, searched } = weight.parts;
    assert!([texts, index, expressions, searched].iter().all(|part| *part > 0), "{weight:?}");
    assert!(texts + index + expressions + searched < weight.bytes, "{weight:?}");
    assert!(compile("{}").unwrap().common().weight.bytes < 100);
}

#[test]
fn a_product_is_refused_with_its_figures_and_a_sum_is_not() {
    let matches = |hosts: usize, paths: usize, n: usize| {
        format!(
            r#"{{ "hosts": {}, "path": {{ "in": {} }} }}"#,
            list(hosts, |h| format!("h{h}x{n}")),
            list(paths, |p| format!("/{p}"))
        )
    };
    let rule = |name: usize, matches: &str| format!(r#"{{ "name": "r{name}", "matches": [{matches}] }}"#);
    let policy = |rules: &[String]| format!(r#"{{ "rules": [{}] }}"#, rules.join(","));
    let shared: Vec<_> = (0..16).map(|n| rule(n, &matches(256, 1024, n))).collect();
    let weight = compile(&policy(&shared)).unwrap().common().weight.bytes;
    assert!(weight < 8 << 20, "{weight}");
    let apart: Vec<_> = (0..10_000).map(|n| rule(n, &matches(4, 12, n))).collect();
    let refused = compile(&policy(&apart)).unwrap_err().to_string();
    assert!(refused.contains("NRW112") && refused.contains("rules["), "{refused}");
    assert!(
        refused.contains("4 hosts \u{d7} 12 paths are 48 index entries")
            || refused.contains("weighs more than 32 MiB"),
        "{refused}"
    );
}

#[test]
fn what_is_refused_is_quoted_in_short() {
    let long = "x".repeat(60_000);
    for policy in [
        format!(r#"{{ "rules": [{{ "name": "{long}" }}] }}"#),
        format!(r#"{{ "{long}": 1 }}"#),
        format!(r#"{{ "rules": [{{ "name": "a", "matches": [{{ "hosts": ["!{long}"] }}] }}] }}"#),
        format!(
            r#"{{ "rules": [{{ "name": "a", "matches": [{{ "headers": {{ "{long}": {{ "exact": "a" }} }} }}] }}] }}"#
        ),
        format!(
            r#"{{ "rules": [{{ "name": "a", "matches": [{{ "headers": {{ "a": {{ "regex": "(" , "{long}": 1 }} }} }}] }}] }}"#
        ),
        format!(r#"{{ "rules": [{{ "name": "a", "matches": [{{ "headers": {{ "a": "{long}" }} }}] }}] }}"#),
        format!(r#"{{ "rules": [{{ "name": "a", "route": {{ "authority": "{long}!" }} }}] }}"#),
        format!(r#"{{ "filter": "{long}" }}"#),
        format!(r#"{{ "mode": "{long}" }}"#),
        format!(r#"{{ "strip": ["{long} "] }}"#),
        format!(
            r#"{{ "rules": [{{ "name": "a", "matches": [{{ "path": {{ "template": "{long}" }} }}] }}] }}"#
        ),
        format!(
            r#"{{ "rules": [{{ "name": "a", "rewrite": {{ "path": {{ "replaceFull": "{long}" }} }} }}] }}"#
        ),
        format!(r#"{{ "a": "{long}{long}" }}"#),
        format!("{{ {} \"a\": 1 }}", format!("\"{long}\": 1,").repeat(30)),
    ] {
        let refused = compile(&policy).unwrap_err();
        for fault in refused.faults() {
            let told = fault.to_string();
            assert!(told.len() < 1_000, "{} bytes: {told}", told.len());
        }
        assert!(refused.faults().len() <= crate::language::limits::FAULTS);
    }
}
