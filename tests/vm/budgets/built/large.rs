//! Large requests: many headers, long ones, long paths.

use narrows_vm::Exchange;
use serde_json::{Value, json};

use super::{Priced, priced};

pub(super) fn all() -> Vec<Priced> {
    let of_each = [
        ("header-router", router()),
        ("canary-split", split()),
        ("metric-tags", tags()),
        ("egress-policy", egress()),
    ];
    of_each
        .iter()
        .flat_map(|(filter, policy)| {
            requests().map(|(name, exchange)| priced(filter, name, policy, exchange))
        })
        .collect()
}

/// Every policy acts on each of them.
fn requests() -> [(&'static str, Exchange); 4] {
    let get = |target: &str| Exchange::get("stock.books", target).header("x-user", "user-7");
    let headers = (0..100).fold(get("/books/42"), |exchange, n| {
        exchange.header(format!("x-more-{n}"), "a value of some length")
    });
    let cookies: Vec<String> = (0..400).map(|n| format!("name-{n}=value-of-some-length-{n}")).collect();
    [
        (
            "ten headers",
            (0..6).fold(get("/books/42"), |exchange, n| exchange.header(format!("x-more-{n}"), "a value")),
        ),
        ("a hundred headers", headers),
        ("cookies of 14 kB", get("/books/42").header("cookie", cookies.join("; "))),
        ("a query of 8 kB", get(&format!("/books/42?{}", "q=a%20text&".repeat(740)))),
    ]
}

fn router() -> Value {
    json!({ "strip": ["x-internal-*"], "rules": [
        { "name": "cookie", "matches": [{ "cookies": { "uid": { "exact": "u" } } }] },
        { "name": "query", "matches": [{ "queryParams": { "tenant": { "exact": "t" } } }] },
        { "name": "user", "matches": [{ "headers": { "x-user": { "prefix": "user-" } } }], "route": { "to": "v2" } }] })
}

fn split() -> Value {
    json!({ "splits": [{ "name": "stock", "service": "stock.books",
        "key": [{ "cookie": "uid" }, { "queryParam": "u" }, { "header": "x-user" }],
        "backends": [{ "name": "stable", "baseline": true },
                     { "name": "canary", "authority": "stock-canary", "weight": 100 }] }] })
}

fn tags() -> Value {
    json!({ "tags": { "operation": { "pathTemplates": ["/books/{id}"] }, "user": { "header": "x-user" },
                      "uid": { "cookie": "uid" }, "code": { "statusClass": true } },
        "metrics": [{ "name": "requests_total", "tags": ["operation", "user", "code"] },
                    { "name": "duration_milliseconds", "type": "histogram", "value": "duration", "tags": ["operation", "uid"] }] })
}

fn egress() -> Value {
    json!({ "default": "deny", "rules": [{ "name": "api", "action": "allow",
        "to": { "hosts": ["stock.books"], "methods": ["GET"], "paths": [{ "template": "/books/{id}" }] } }] })
}
