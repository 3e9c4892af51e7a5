//! Tests of the router: how the parts of a rule affect each other.

mod conditions;
mod query;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Router;
use crate::action::sanitize;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::{Code, Edit};

const HEADERS: [(&[u8], &[u8]); 7] = [
    (b":path", b"/"),
    (b":authority", b"shop.example.com"),
    (b"x-narrows-route", b"v2"),
    (b"x-forwarded-host", b"first.example.com"),
    (b"x-legacy", b"1"),
    (b"x_legacy", b"2"),
    (b"x-lane", b"beta"),
];

fn compile(policy: &str) -> Result<Router, Code> {
    let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
    Router::compile(&tree).map_err(|invalid| invalid.faults()[0].code)
}

/// The edits by a rule with these fields, in a mesh, where nothing is stripped.
fn edits(fields: &str) -> Vec<String> {
    let router =
        compile(&format!(r#"{{ "trust": "mesh", "rules": [{{ "name": "r", {fields} }}] }}"#)).unwrap();
    let (decision, _) = router.decide(Request::new(HEADERS));
    let told = |edit: &Edit<'_>| match edit {
        Edit::Remove(name) => format!("-{name}"),
        Edit::Set(name, value) => format!("{name}={}", value.escape_ascii()),
        Edit::Add(name, value) => format!("{name}+{}", value.escape_ascii()),
        Edit::Relocate(..) | Edit::SetCookie(_) => edit.name().to_owned(),
    };
    decision.request.iter().map(told).collect()
}

/// What is wrong with a field does not hide what is wrong within another one.
#[test]
fn a_refusal_names_the_misspelt_fields_of_every_table() {
    let policy = r#"{ "rules": [ { "nmae": "a", "matches": [ { "pth": 1, "headers": { "x": { "exat": "b" } } } ],
        "rewrite": { "pat": 1 } } ] }"#;
    let refused = Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap_err();
    let faults: Vec<_> = refused.faults().iter().map(|f| format!("{} {}", f.code, f.place)).collect();
    let within = "NRW101 rules[0].matches[0]";
    assert_eq!(
        faults,
        [
            "NRW101 rules[0].nmae".to_owned(),
            format!("{within}.pth"),
            format!("{within}.headers.x.exat"),
            "NRW101 rules[0].rewrite.pat".to_owned(),
        ]
    );
}

#[test]
fn a_destination_sees_what_the_edits_leave() {
    assert_eq!(edits(r#""route": {"to": "v2"}"#), [""; 0]);
    assert_eq!(
        edits(r#""requestHeaders": {"remove": ["x-narrows-*"]}, "route": {"to": "v2"}"#),
        ["-x-narrows-route", "x-narrows-route=v2"]
    );
    assert_eq!(
        edits(r#""requestHeaders": {"set": {"x-narrows-route": "v3"}}, "route": {"to": "v2"}"#),
        ["x-narrows-route=v3", "x-narrows-route=v2"]
    );
    assert_eq!(
        edits(r#""requestHeaders": {"remove": ["x-forwarded-host"]}, "route": {"authority": "a.b"}"#),
        ["-x-forwarded-host", "x-forwarded-host=shop.example.com", ":authority=a.b"]
    );
    assert_eq!(
        edits(r#""requestHeaders": {"set": {"x-forwarded-host": "c.d"}}, "route": {"authority": "a.b"}"#),
        ["x-forwarded-host=c.d", ":authority=a.b"]
    );
    assert_eq!(
        edits(
            r#""requestHeaders": {"remove": ["x-forwarded-host"], "add": {"x-forwarded-host": "c.d"}},
               "route": {"authority": "a.b"}"#
        ),
        ["-x-forwarded-host", "x-forwarded-host+c.d", ":authority=a.b"]
    );
}

#[test]
fn removals_hit_every_spelling_that_is_there_and_nothing_else() {
    let both = ["-x-legacy", "-x_legacy"];
    assert_eq!(edits(r#""requestHeaders": {"remove": ["x_legacy"]}"#), both);
    assert_eq!(edits(r#""requestHeaders": {"remove": ["X-Legacy"]}"#), both);
    assert_eq!(edits(r#""requestHeaders": {"remove": ["x-leg*", "x-legacy", "x-absent"]}"#), both);
}

#[test]
fn nothing_is_written_that_is_there_already() {
    assert_eq!(edits(r#""requestHeaders": {"set": {"x-lane": "beta"}}"#), [""; 0]);
    assert_eq!(edits(r#""requestHeaders": {"set": {"x-lane": "Beta"}}"#), ["x-lane=Beta"]);
    // What was removed before is not there any more.
    assert_eq!(
        edits(r#""requestHeaders": {"remove": ["x-lane"], "set": {"x-lane": "beta"}}"#),
        ["-x-lane", "x-lane=beta"]
    );
}

#[test]
fn a_policy_that_says_anything_strips() {
    let strips = |policy: &str| {
        let router = compile(policy).unwrap();
        let (decision, _) = router.decide(Request::new(HEADERS));
        assert_eq!(router.common().needs.headers, !decision.stripped.is_empty());
        assert_eq!(
            decision.state.iter().any(|(name, _)| *name == sanitize::PROVENANCE),
            !decision.stripped.is_empty()
        );
        !decision.stripped.is_empty()
    };
    for policy in [
        r#"{ "routeHeader": "x-route" }"#,
        r#"{ "explain": { "when": {} } }"#,
        r#"{ "trust": "edge" }"#,
        r#"{ "strip": ["x-other"] }"#,
        r#"{ "rules": [{ "name": "r" }] }"#,
        // The last rule was removed.
        r#"{ "rules": [] }"#,
        r#"{ "trust": "edge", "rules": [] }"#,
        r#"{ "filter": "header-router" }"#,
        r#"{ "labels": "stock" }"#,
    ] {
        assert!(strips(policy), "{policy}");
    }
    for policy in [
        "",
        "{}",
        r#"{ "rules": null }"#,
        r#"{ "mode": "off", "routeHeader": "x-route" }"#,
        r#"{ "trust": "mesh", "rules": [] }"#,
    ] {
        assert!(!strips(policy), "{policy}");
    }
}

#[test]
fn what_can_never_match_is_refused() {
    let refused = |matches: &str| {
        compile(&format!(r#"{{ "rules": [{{ "name": "r", "matches": [{matches}] }}] }}"#)).err()
    };
    assert_eq!(refused(r#"{ "headers": { "Host": { "exact": "a.b" } } }"#), Some(Code::BadHeaderName));
    assert_eq!(
        refused(r#"{ "withoutHeaders": { "host": { "present": true } } }"#),
        Some(Code::BadHeaderName)
    );
    assert_eq!(refused(r#"{ "path": { "in": ["/a", "b"] } }"#), Some(Code::BadPath));
    assert_eq!(refused(r#"{ "path": { "in": ["/a", "/b?c"] } }"#), Some(Code::BadPath));
    assert_eq!(refused(r#"{ "path": { "in": ["/a", "/b"] } }"#), None);
}

#[test]
fn not_is_said_once() {
    let policy = |invert: bool| {
        let matches = format!(r#"{{ "withoutHeaders": {{ "x": {{ "exact": "a", "invert": {invert} }} }} }}"#);
        compile(&format!(r#"{{ "rules": [{{ "name": "r", "matches": [{matches}] }}] }}"#)).err()
    };
    assert_eq!(policy(true), Some(Code::Conflict));
    assert_eq!(policy(false), None);
}

#[test]
fn rewriting_expressions_count_as_expressions() {
    let rules = |count: usize| {
        let rule = |n| {
            format!(
                r#"{{ "name": "r{n}", "rewrite": {{ "path": {{ "regex": {{ "match": "a", "replace": "b" }} }} }} }}"#
            )
        };
        let rules: Vec<String> = (0..count).map(rule).collect();
        compile(&format!(r#"{{ "rules": [{}] }}"#, rules.join(","))).err()
    };
    assert_eq!(rules(crate::language::limits::REGEXES), None);
    assert_eq!(rules(crate::language::limits::REGEXES + 1), Some(Code::TooMany));
}

#[test]
fn expressions_that_one_value_keeps_busy_are_bounded_together() {
    let compile = |count: usize, of: &dyn Fn(usize) -> String| {
        let rule = |n| format!(r#"{{"name": "r{n}", "matches": [{{"path": {{"regex": "{}"}}}}]}}"#, of(n));
        let rules: Vec<String> = (0..count).map(rule).collect();
        let policy = format!(r#"{{"rules": [{}]}}"#, rules.join(", "));
        Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).map_err(|fault| fault.to_string())
    };
    assert!(compile(40, &|n| format!("/[a-z]+/{n}/.*x")).is_ok());
    let refused = compile(41, &|n| format!("/[a-z]+/{n}/.*x")).unwrap_err();
    assert!(refused.contains("NRW112") && refused.contains("rules[40]"), "{refused}");
    // An expression that starts with another text is not tried beyond that text, and a rest of any kind
    // is cheap.
    assert!(compile(256, &|n| format!("/{n}x/[a-z]+/.*y")).is_ok());
    assert!(compile(256, &|n| format!("/svc-{n}-.*")).is_ok());
}
