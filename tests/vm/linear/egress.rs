//! egress-policy.

use narrows_vm::Exchange;
use serde_json::{Value, json};

use super::{Costly, are_linear, get, text};

fn egress(name: &'static str, policy: Value, requests: fn(usize) -> Vec<Exchange>) -> Costly {
    Costly { name, filter: "egress-policy", policy, requests }
}

/// Paths that start in ways that servers read differently, with up to 32 readings.
fn paths(bytes: usize) -> Vec<Exchange> {
    [
        "/",
        "//",
        "/e;z/",
        "//a;b/",
        "/a//../b/",
        "/x//../a/%2e%2e/b/",
        "/x//../a/%2e%2e/b;c//",
        "/e%3bz/./d;y///../e%3bz/%2e%2e/b;x/%2e/../",
        "/e%3bz/./d;y///../e%3bz/%2e%2e/b;x/",
        "/%61",
    ]
    .into_iter()
    .flat_map(|start| ["A", "a/", "%41", "/../a", "\u{e9}"].map(|unit| get(&text(start, unit, "", bytes))))
    .collect()
}

fn policy(action: &str, tests: &[Value]) -> Value {
    let rules = tests.chunks(64).enumerate();
    let rules: Vec<Value> = rules
        .map(|(n, paths)| json!({ "name": format!("r{n}"), "action": action, "to": { "paths": paths } }))
        .collect();
    json!({ "default": if action == "deny" { "allow" } else { "deny" }, "rules": rules })
}

fn tests(most: usize, of: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..most).map(of).collect()
}

#[test]
fn readings() {
    let by_host =
        json!({ "rules": [{ "name": "a", "action": "allow", "to": { "hosts": ["shop.example.com"] } }] });
    let regex = |n: usize| json!({ "regex": format!(".*/admin{n}(/.*)?") });
    let contains =
        |fold: bool| move |n: usize| json!({ "contains": format!("admin{n}"), "ignoreCase": fold });
    are_linear(&[
        egress("no rule with a path", by_host, paths),
        egress("one expression denies", policy("deny", &tests(1, regex)), paths),
        egress("eight expressions deny", policy("deny", &tests(8, regex)), paths),
        egress("all expressions deny", policy("deny", &tests(40, regex)), paths),
        egress("all expressions allow", policy("allow", &tests(40, regex)), paths),
        egress("four texts deny", policy("deny", &tests(4, contains(false))), paths),
        egress("four texts deny in any case", policy("deny", &tests(4, contains(true))), paths),
        egress(
            "1,000 prefixes",
            policy("deny", &tests(1_000, |n| json!({ "pathPrefix": format!("/a{n}") }))),
            paths,
        ),
    ]);
}

#[test]
fn headers_that_do_not_leave() {
    let policy = json!({ "default": "allow", "rules": [], "requestHeaders": { "remove": ["z*"] } });
    let requests: fn(usize) -> Vec<Exchange> = |bytes| {
        let with = |prefix: &str| {
            let names = 0..bytes / (prefix.len() + 6);
            names.fold(get("/"), |exchange, n| exchange.header(format!("{prefix}{n:05}"), "1"))
        };
        vec![with("x-internal-"), with("z"), with("x-envoy-")]
    };
    are_linear(&[egress("headers that do not leave", policy, requests)]);
}

#[test]
fn hosts_that_no_rule_names() {
    let policy = json!({ "default": "deny", "denyPrivateAddresses": true,
        "rules": [{ "name": "a", "action": "allow", "to": { "hosts": (0..256).map(|n| format!("*.h{n}.example.com")).collect::<Vec<_>>() } }],
        "learn": { "maxHosts": 500 } });
    let requests: fn(usize) -> Vec<Exchange> = |bytes| {
        [
            ("", "a.", "h1.example.com"),
            ("", "a", ".example.com"),
            ("", "1.", "1"),
            ("[", "1:", "]"),
            ("", "0", ""),
        ]
        .map(|(start, unit, end)| Exchange::get(&text(start, unit, end, bytes), "/"))
        .into()
    };
    are_linear(&[egress("long hosts that no rule names", policy, requests)]);
}
