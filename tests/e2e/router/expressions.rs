//! Does an expression mean what Envoy's RE2 means?
//!
//! Every value is judged twice on the same listener: by a rule of header-router and by a route of
//! Envoy's with the same expression. The expressions are those that public configurations of proxies
//! have, and generated ones.

pub(in crate::router) mod generated;

use narrows_core::{Policy, PolicyValue, router::Router};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::{Bench, entry, lacks};
use serde_json::{Value, json};

/// Each line: the project whose repository has the expression, and the expression.
const PUBLIC: &str = include_str!("../../data/expressions.txt");
const GENERATED: usize = 260;
const VALUES: usize = 24;
const HOLDS: u64 = 201;
const FAILS: u64 = 202;

/// What Envoy takes and a filter does not: scripts other than Latin, which no single byte is in.
const OURS: [&str; 2] = [r"[\p{Greek}]", r"\p{Han}"];
/// What neither takes.
const NEITHER: [&str; 22] = [
    "(?=a)b",
    "(?<!a)b",
    r"(a)\1",
    r"a\Z",
    "(?>a)",
    "(?x)a",
    "a)",
    "(a",
    "[a",
    r"a\",
    "a**",
    "a*+",
    "a{2}{3}",
    "*",
    "a{1001}",
    "a{2,1}",
    "[z-a]",
    "[[:foo:]]",
    r"\x{100}",
    "(?P<n-m>a)",
    r"\h",
    "(?i-)",
];

pub(super) fn public() -> Vec<String> {
    PUBLIC.lines().map(|line| line.split_once('\t').unwrap().1.to_owned()).collect()
}

/// A policy with a rule for each, by its path.
fn policy(expressions: &[(usize, String)]) -> String {
    let rule = |(number, expression): &(usize, String)| {
        json!({ "name": format!("c{number}"),
                "matches": [{ "path": { "exact": format!("/{number}") }, "headers": { "x-a": { "regex": expression } } }],
                "responseHeaders": { "set": { "x-held": "1" } } })
    };
    json!({ "trust": "mesh", "rules": expressions.iter().map(rule).collect::<Vec<_>>() }).to_string()
}

pub(super) fn compiles(policy: &str) -> Result<Router, String> {
    Router::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).map_err(|fault| fault.to_string())
}

/// As many policies as it takes for all expressions to be cheap enough.
fn policies(expressions: &[(usize, String)], all: &mut Vec<String>) {
    let one = policy(expressions);
    if expressions.len() == 1 || compiles(&one).is_ok() {
        all.push(one);
        return;
    }
    let (some, rest) = expressions.split_at(expressions.len() / 2);
    policies(some, all);
    policies(rest, all);
}

fn route(number: usize, expression: &str) -> Value {
    json!({ "match": { "path": format!("/{number}"),
                       "headers": [{ "name": "x-a", "string_match": { "safe_regex": { "regex": expression } } }] },
            "direct_response": { "status": HOLDS } })
}

fn start(filters: Vec<Value>, mut routes: Vec<Value>) -> anyhow::Result<Bench> {
    routes.push(json!({ "match": { "prefix": "/" }, "direct_response": { "status": FAILS } }));
    // As Istio sets it.
    let size = json!({ "re2.max_program_size.error_level": 32768 });
    let layers = json!({ "layers": [{ "name": "flags", "static_layer": size }] });
    Bench::with(filters).named("expressions").routes(&routes).bootstrap("layered_runtime", layers).start()
}

#[test]
fn public_configurations_can_be_written() {
    let all = public();
    let refused: Vec<String> =
        all.iter().filter_map(|text| compiles(&policy(&[(0, text.clone())])).err()).collect();
    assert!(all.len() >= 300, "{}", all.len());
    // The README says so.
    assert!(refused.is_empty(), "{} of {}: {refused:#?}", refused.len(), all.len());
}

#[test]
fn expressions_mean_what_they_mean_in_envoy() {
    let mut random = Random::new(7);
    let mut texts = public();
    texts.extend(
        (0..GENERATED)
            .map(|number| generated::expression(&mut random, u32::try_from(number % 5).unwrap_or_default())),
    );
    texts.retain(|text| !text.is_empty() && compiles(&policy(&[(0, text.clone())])).is_ok());
    assert!(texts.len() > 500, "{}", texts.len());
    let expressions: Vec<(usize, String)> = texts.into_iter().enumerate().collect();
    let mut all = Vec::new();
    policies(&expressions, &mut all);
    let filters = all.iter().map(|policy| entry("header-router", policy)).collect();
    let routes = expressions.iter().map(|(number, text)| route(*number, text)).collect();
    let bench = start(filters, routes).unwrap();
    let mut connection = Connection::connect(bench.at).unwrap();
    // RE2 reads UTF-8 there, and a filter reads bytes: the same only where all is ASCII.
    let only_ascii = lacks(39, "RE2 that reads bytes");
    let (mut pairs, mut held, mut broken) = (0, 0, 0);
    for (number, text) in &expressions {
        for _ in 0..VALUES {
            let mut value = generated::value(&mut random, text);
            if only_ascii {
                value.retain(u8::is_ascii);
            }
            let request = Request::get("a", &format!("/{number}")).header("x-a", &value);
            let answer = connection.exchange(&request).unwrap();
            let status = u64::from(answer.status);
            let shown = value.escape_ascii();
            assert!(status == HOLDS || status == FAILS, "{text} on {shown}: {answer:?}");
            assert_eq!(answer.headers.contains("x-held"), status == HOLDS, "{text} on {shown}");
            pairs += 1;
            held += usize::from(status == HOLDS);
            broken += usize::from(std::str::from_utf8(&value).is_err());
        }
    }
    println!("{} expressions, {pairs} pairs, {held} held, {broken} not UTF-8", expressions.len());
    let some_are_broken = only_ascii || broken > pairs / 8;
    assert!(held > pairs / 8 && held < pairs * 7 / 8 && some_are_broken, "{pairs} {held} {broken}");
}

#[test]
fn what_is_refused_is_refused_for_a_reason() {
    let none = || vec![nothing()];
    let routes = OURS.iter().enumerate().map(|(number, text)| route(number, text)).collect();
    start(none(), routes).expect("Envoy takes all of these");
    for text in OURS {
        let fault = compiles(&policy(&[(0, text.to_owned())])).unwrap_err();
        assert!(fault.contains("Unicode"), "{text}: {fault}");
    }
    let reads_utf8 = lacks(39, "RE2 that reads bytes");
    for text in NEITHER {
        let fault = compiles(&policy(&[(0, text.to_owned())])).unwrap_err();
        assert!(fault.contains("NRW501"), "{text}: {fault}");
        let is_taken = start(none(), vec![route(0, text)]).is_ok();
        // It is a character in UTF-8.
        assert_eq!(is_taken, reads_utf8 && text == r"\x{100}", "Envoy and {text}");
    }
}

fn nothing() -> Value {
    entry("header-router", "{}")
}
