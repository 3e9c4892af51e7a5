//! The merged plugin with all its parts.

use narrows_tests::priced::rules;
use narrows_vm::Exchange;
use serde_json::json;

use super::{Priced, priced};

pub(super) fn all() -> Vec<Priced> {
    ["host-9.example.com", "shop.example.com"].into_iter().map(to).collect()
}

fn to(host: &str) -> Priced {
    let policy = json!({
        "router": rules(10),
        "split": { "splits": [{ "name": "books", "hosts": ["host-9.example.com"], "key": [{ "header": "x-user" }],
            "backends": [{ "name": "stable", "baseline": true },
                         { "name": "canary", "authority": "canary.example.com", "weight": 100 }] }] },
        "tags": { "tags": { "operation": { "pathTemplates": ["/area-9/books/{id}"] }, "code": { "statusClass": true } },
            "metrics": [{ "name": "requests_total", "tags": ["operation", "code"] }] },
        "egress": { "default": "deny", "rules": [{ "name": "books", "action": "allow",
            "to": { "hosts": ["*.example.com"], "paths": [{ "contains": "/books/" }] } }] },
    });
    let exchange = Exchange::get(host, "/area-9/books/12?page=2")
        .header("x-user-group", "beta")
        .header("x-user", "user-7");
    priced("narrows", &format!("four parts, to {host}"), &policy, exchange)
}
