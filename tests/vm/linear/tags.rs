//! metric-tags.

use narrows_vm::Exchange;
use serde_json::{Value, json};

use super::{Costly, are_linear, get, text};

fn tags(name: &'static str, of: impl Fn(usize) -> Value, requests: fn(usize) -> Vec<Exchange>) -> Costly {
    let tags: serde_json::Map<String, Value> = (0..32).map(|n| (format!("t{n}"), of(n))).collect();
    let metric = |from: usize| {
        let tags: Vec<String> = (from..(from + 12).min(32)).map(|n| format!("t{n}")).collect();
        json!({ "name": format!("m{from}"), "tags": tags })
    };
    let policy = json!({ "tags": tags, "metrics": [metric(0), metric(12), metric(24)] });
    Costly { name, filter: "metric-tags", policy, requests }
}

fn requests(bytes: usize) -> Vec<Exchange> {
    vec![
        get(&text("/?", "a=%61&", "t31=1", bytes)),
        get("/").header("cookie", text("", "a=1; ", "t31=1", bytes)),
        (0..32).fold(get("/"), |exchange, n| {
            exchange.header(format!("x-t{n}"), text("", "\u{e9}\n\"", "", bytes / 32))
        }),
        get("/").header("x-t31", text("", ";.=\"", "", bytes)),
        get(&text("/", "p/", "", bytes)),
        get(&text("/v1", "/v1", "!", bytes)),
        Exchange::get(&text("", "a.", "com", bytes), "/"),
        Exchange::get(&text("", "es-", "com", bytes), "/"),
    ]
}

#[test]
fn sources() {
    let hosts: Value = (0..1_000)
        .map(|n| (format!("{}{n}*", "a.".repeat(n % 110)), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let starred: Value = (0..500)
        .map(|n| (format!("{}*.{}example.com", "x".repeat(n % 30), "a.".repeat(n % 8)), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let templates: Vec<String> = (0..1_000).map(|n| format!("/p/{{x}}/p/{{y}}/t{n}")).collect();
    are_linear(&[
        tags("32 tags by cookie", |n| json!({ "cookie": format!("t{n}") }), requests),
        tags("32 tags by header", |n| json!({ "header": format!("x-t{n}") }), requests),
        tags("32 tags by hostMap", |_| json!({ "hostMap": hosts }), requests),
        tags("32 tags by hostMap with stars", |_| json!({ "hostMap": starred }), requests),
        tags(
            "32 tags by template",
            |n| {
                if n < 2 {
                    json!({ "pathTemplates": templates })
                } else {
                    json!({ "pathTemplates": ["/p/*"] })
                }
            },
            requests,
        ),
        tags("32 tags by host", |_| json!({ "host": true }), requests),
    ]);
}

#[test]
fn attributes() {
    let rule = |n: usize| json!({ "value": format!("v{n}"), "condition": format!("request.url_path.matches('/v[0-9]+/x{n}$') && request.method == 'GET'") });
    let policy = json!({ "attributes": [{ "output_attribute": "istio_operationId", "match": (0..40).map(rule).collect::<Vec<_>>() }] });
    are_linear(&[Costly { name: "forty attributes by expression", filter: "metric-tags", policy, requests }]);
}

#[test]
fn by_query() {
    are_linear(&[tags("32 tags by query", |n| json!({ "queryParam": format!("t{n}") }), requests)]);
}
