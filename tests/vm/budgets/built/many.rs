//! Many rules, splits, templates and destinations: what is found among ten thousand costs what is found among ten.

use narrows_tests::priced::rules;
use narrows_vm::Exchange;
use serde_json::json;

use super::{Priced, priced};

const COUNTS: [usize; 3] = [10, 1_000, 10_000];

pub(super) fn all() -> Vec<Priced> {
    let routed = COUNTS.into_iter().flat_map(|count| [hit(count), miss(count)]);
    routed.chain([10, 1_000].into_iter().flat_map(of_each)).chain([expressions()]).collect()
}

fn hit(count: usize) -> Priced {
    let last = count - 1;
    let exchange = Exchange::get(&format!("host-{last}.example.com"), &format!("/area-{last}/books?page=2"))
        .header("x-user-group", "beta");
    priced("header-router", &format!("the last of {count} rules"), &rules(count), exchange)
}

fn miss(count: usize) -> Priced {
    let exchange = Exchange::get("shop.example.com", "/books?page=2").header("x-user-group", "alpha");
    priced("header-router", &format!("none of {count} rules"), &rules(count), exchange)
}

/// The other filters, with so many of what they have many of.
fn of_each(count: usize) -> [Priced; 3] {
    [splits(count), templates(count), destinations(count)]
}

fn splits(count: usize) -> Priced {
    let split = |n| {
        json!({ "name": format!("s{n}"), "service": format!("s{n}.shop"), "key": [{ "header": "x-user-id" }],
            "backends": [{ "name": "stable", "baseline": true }, { "name": "canary", "to": "canary", "weight": 100 }] })
    };
    let policy = json!({ "trust": "mesh", "splits": (0..count).map(split).collect::<Vec<_>>() });
    let exchange = Exchange::get(&format!("s{}.shop", count - 1), "/").header("x-user-id", "user-7");
    priced("canary-split", &format!("the last of {count} splits"), &policy, exchange)
}

fn templates(count: usize) -> Priced {
    let templates: Vec<_> = (0..count).map(|n| format!("/service-{n}/items/{{id}}/parts/{{part}}")).collect();
    let policy = json!({ "tags": { "operation": { "pathTemplates": templates } },
        "metrics": [{ "name": "requests_total", "tags": ["operation"] }] });
    let exchange = Exchange::get("shop", &format!("/service-{}/items/42/parts/7", count - 1));
    priced("metric-tags", &format!("the last of {count} templates"), &policy, exchange)
}

fn destinations(count: usize) -> Priced {
    let rule = |n| {
        json!({ "name": format!("r{n}"), "action": "allow",
            "to": { "hosts": [format!("api-{n}.example.com")], "paths": [{ "pathPrefix": "/v1/" }] } })
    };
    let policy = json!({ "default": "deny", "rules": (0..count).map(rule).collect::<Vec<_>>() });
    let exchange = Exchange::get(&format!("api-{}.example.com", count - 1), "/v1/charges?limit=3");
    priced("egress-policy", &format!("the last of {count} rules"), &policy, exchange)
}

/// What no index narrows.
fn expressions() -> Priced {
    let rule = |n| json!({ "name": format!("r{n}"), "matches": [{ "headers": { "x-user": { "regex": format!("user-{n}-.*") } } }] });
    let policy = json!({ "rules": (0..100).map(rule).collect::<Vec<_>>() });
    let exchange = Exchange::get("shop", "/").header("x-user", "user-99-suffix");
    priced("header-router", "the last of 100 expressions", &policy, exchange)
}
