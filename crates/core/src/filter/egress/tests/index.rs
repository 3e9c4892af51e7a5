//! The index against reading the rules one by one.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{CHECKOUT, Call, compile};
use crate::filter::egress::destination::tests::spellings::Random;

/// Rules over a small world, so that many requests match several.
fn rule(random: &mut Random, number: usize) -> String {
    let action = random.one_of(&["allow", "allow", "deny"]);
    let mode = random.one_of(&["enforce", "enforce", "report", "off"]);
    let list = |random: &mut Random, field: &str, choices: &[&str]| {
        let chosen: Vec<&str> = (0..random.below(3)).map(|_| random.one_of(choices)).collect();
        if chosen.is_empty() { None } else { Some(format!("\"{field}\": [{}]", chosen.join(","))) }
    };
    let to: Vec<String> = [
        list(
            random,
            "hosts",
            &["\"a.example\"", "\"*.example\"", "\"b.a.example\"", "\"10.0.0.1\"", "\"*\""],
        ),
        list(random, "ports", &["80", "443"]),
        list(random, "methods", &["\"GET\"", "\"POST\""]),
        list(
            random,
            "paths",
            &[
                r#"{"pathPrefix": "/v1"}"#,
                r#"{"exact": "/v1/x"}"#,
                r#"{"pathPrefix": "/v1", "invert": true}"#,
                r#"{"template": "/{a}/x"}"#,
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let from: Vec<String> = [
        list(random, "principals", &["\"spiffe://d/ns/n/sa/a\"", "\"spiffe://d/*\""]),
        list(random, "namespaces", &["\"n\"", "\"m\""]),
        list(random, "workloads", &["\"a\"", "\"b\""]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let from = if from.is_empty() { String::new() } else { format!(", \"from\": {{{}}}", from.join(",")) };
    format!(
        r#"{{"name": "r{number}", "action": "{action}", "mode": "{mode}", "to": {{{}}}{from}}}"#,
        to.join(",")
    )
}

#[test]
fn many_rules_decide_as_one_by_one() {
    let mut random = Random(42);
    for _ in 0..300 {
        let rules: Vec<String> = (0..12).map(|number| rule(&mut random, number)).collect();
        let whole = compile(&format!(r#"{{"rules": [{}]}}"#, rules.join(","))).unwrap();
        let alone: Vec<_> =
            rules.iter().map(|rule| compile(&format!(r#"{{"rules": [{rule}]}}"#)).unwrap()).collect();
        for _ in 0..30 {
            let ask = Call {
                authority: random.one_of(&[
                    "a.example",
                    "b.a.example",
                    "A.example:443",
                    "0xa000001",
                    "c.example",
                    "other",
                ]),
                target: random.one_of(&[
                    "/v1",
                    "/v1/x",
                    "/v2/../v1",
                    "/v1/../v2",
                    "/v1%2fx",
                    "/%76%31/x",
                    "/",
                    "//v1",
                ]),
                method: random.one_of(&["GET", "POST", "get"]),
                principal: random.one_of(&["", "spiffe://d/ns/n/sa/a", "spiffe://e/ns/m/sa/b"]),
                ..CHECKOUT
            };
            let each: Vec<String> = alone.iter().map(|policy| super::outcome(policy, &ask)).collect();
            let first = |action: &str| {
                each.iter().find(|outcome| outcome.starts_with(action) && outcome.contains(" r"))
            };
            let ambiguous = each.iter().find(|outcome| outcome.ends_with("ambiguous-path"));
            let expected =
                first("deny").or_else(|| first("allow")).or(ambiguous).map_or("deny default", String::as_str);
            assert_eq!(super::outcome(&whole, &ask), expected, "{} {} {rules:#?}", ask.authority, ask.target);
        }
    }
}
