//! canary-split.

use narrows_vm::Exchange;
use serde_json::{Value, json};

use super::{Costly, are_linear, get, text};

fn split(name: &'static str, fields: &Value, requests: fn(usize) -> Vec<Exchange>) -> Costly {
    let mut split = json!({ "name": "s", "hosts": ["shop.example.com"], "backends": [
        { "name": "stable", "baseline": true }, { "name": "canary", "to": "v2", "weight": 50 }] });
    for (name, value) in fields.as_object().into_iter().flatten() {
        split[name] = value.clone();
    }
    Costly { name, filter: "canary-split", policy: json!({ "splits": [split] }), requests }
}

fn requests(bytes: usize) -> Vec<Exchange> {
    vec![
        get(&text("/?", "a=%61&", "q=1", bytes)),
        get(&text("/?", "k7=1&", "q=1", bytes)),
        get(&text("/?", "a=%61&", "k7=1&k6=1&k5=1&k4=1&k3=1&k2=1&k1=1", bytes)),
        get("/").header("cookie", text("", "a=1; ", "q=1", bytes)),
        get("/").header("cookie", text("", "k7=1; ", "q=1", bytes)),
        get("/").header("x-k7", text(" ", "V", " ", bytes)),
        get(&text("/", "p/", "", bytes)),
        (0..bytes / 10).fold(get("/"), |exchange, n| exchange.header(format!("x{n:06}"), "1")),
    ]
}

#[test]
fn keys() {
    let all = |of: fn(usize) -> Value| json!({ "key": (0..8).map(of).collect::<Vec<_>>() });
    are_linear(&[
        split("eight keys by query", &all(|n| json!({ "queryParam": format!("k{n}") })), requests),
        split("eight keys by cookie", &all(|n| json!({ "cookie": format!("k{n}") })), requests),
        split(
            "eight keys by header",
            &all(|n| json!({ "header": format!("x-k{n}"), "trim": true, "lowercase": true })),
            requests,
        ),
        split("eight keys by segment", &all(|n| json!({ "pathSegment": 57 + n })), requests),
        split(
            "sixteen keys in two",
            &json!({ "key": [
                { "all": (0..8).map(|n| json!({ "queryParam": format!("k{}", 7 - n) })).collect::<Vec<_>>() },
                { "all": (0..8).map(|n| json!({ "cookie": format!("k{}", 7 - n) })).collect::<Vec<_>>() }] }),
            requests,
        ),
    ]);
}

#[test]
fn lists_by_header() {
    let values: Vec<String> = (0..1_024).map(|n| format!("qa-{n}")).collect();
    let list = json!([{ "matches": [{ "headers": { "x-k7": { "in": values } } }] }]);
    are_linear(&[split(
        "exclude by header",
        &json!({ "key": [{ "header": "x-k7" }], "exclude": list }),
        requests,
    )]);
}

#[test]
fn lists_by_query() {
    let matches: Vec<Value> = (0..64)
        .map(|n| json!({ "queryParams": { format!("k{n}"): { "exact": "0" } }, "cookies": { format!("k{n}"): { "exact": "0" } } }))
        .collect();
    let list: Vec<Value> = (0..8).map(|_| json!({ "matches": matches })).collect();
    are_linear(&[split(
        "exclude by query",
        &json!({ "key": [{ "header": "x-k7" }], "exclude": list }),
        requests,
    )]);
}
