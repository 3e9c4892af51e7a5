//! Hosts with a star and metadata, among many rules.

use std::fmt::Write;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Router;
use crate::{Known, Policy, PolicyValue, Request};

fn router(matches: &str) -> Router {
    let mut rules = String::new();
    for number in 0..500 {
        let one = matches.replace("NNN", &number.to_string());
        write!(rules, r#"{{"name": "r{number}", "matches": [{one}]}},"#).unwrap();
    }
    let policy = format!(r#"{{"trust": "mesh", "rules": [{}]}}"#, rules.trim_end_matches(','));
    Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap()
}

fn rule(router: &Router, host: &str, metadata: &[u8]) -> Option<usize> {
    let headers = [(":method", "GET"), (":path", "/"), (":authority", host)];
    let request = Request::new(headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())));
    router.decide(request.knowing(Known { metadata: Some(metadata), ..Known::default() })).1.rule
}

#[test]
fn a_star_inside_a_label() {
    for (pattern, host, other) in [
        ("pr-NNN-*.example.com", "pr-321-a.example.com", "pr-3210.example.com"),
        ("*-NNN.example.com", "a-321.example.com", "a-321.x.example.com"),
        ("*.x*.tNNN.example.com", "a.b.xy.t321.example.com", "xy.t321.example.com"),
        ("api*.NNN-*.x", "api1.321-b.x", "ap.321-b.x"),
    ] {
        let router = router(&format!(r#"{{"hosts": ["{pattern}"]}}"#));
        assert_eq!(rule(&router, host, b""), Some(321), "{pattern}");
        assert_eq!(rule(&router, &format!("{}:80", host.to_uppercase()), b""), Some(321), "{pattern}");
        assert_eq!(rule(&router, other, b""), None, "{pattern}");
    }
}

#[test]
fn claims() {
    let field =
        |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let entry = |name: &str, value: &[u8]| field(1, &[field(1, name.as_bytes()), field(2, value)].concat());
    let text = |text: &str| field(3, text.as_bytes());
    let of = |value: &[u8]| entry("jwt", &entry("payload", &field(5, &entry("groups", value))));
    let list = |texts: &[&str]| {
        let elements: Vec<u8> = texts.iter().flat_map(|one| field(1, &text(one))).collect();
        of(&field(6, &elements))
    };
    for test in [r#""exact": "gNNN""#, r#""suffix": "gNNN""#, r#""in": ["gNNN", "none"]"#] {
        let router =
            router(&format!(r#"{{"metadata": [{{"path": ["jwt", "payload", "groups"], {test}}}]}}"#));
        assert!(router.common().needs.metadata);
        let judged = |metadata: &[u8]| rule(&router, "a", metadata);
        assert_eq!(judged(&of(&text("g321"))), Some(321), "{test}");
        assert_eq!(judged(&list(&["a", "g400", "g7x", "g321"])), Some(321), "{test}");
        assert_eq!(judged(&list(&["other"])), None, "{test}");
        assert_eq!(judged(b""), None, "{test}");
    }
    let number = [&[2 << 3 | 1][..], &321f64.to_le_bytes()].concat();
    let router = router(
        r#"{"metadata": [{"path": ["jwt", "payload", "groups"], "range": {"from": NNN, "to": 100000}}]}"#,
    );
    assert_eq!(rule(&router, "a", &of(&number)), Some(0));
}

#[test]
fn nobody_reads_metadata_without_need() {
    let router = router(r#"{"headers": {"a": {"exact": "NNN"}}}"#);
    assert!(!router.common().needs.metadata);
}
