//! Policies and requests whose price is told: by counts in `tests/vm/budgets.rs`, by the clock in
//! `make bench`. Both speak of the same ones.

use serde_json::{Value, json};

/// A policy of header-router with so many rules, each for a host, a path and a header of its own.
pub fn rules(count: usize) -> Value {
    json!({ "rules": (0..count).map(rule).collect::<Vec<_>>() })
}

/// The rule of a number: `host-NUMBER`, `/area-NUMBER/…` and a user group lead to the destination `v2`.
pub fn rule(number: usize) -> Value {
    json!({
        "name": format!("rule-{number}"),
        "matches": [{
            "hosts": [format!("host-{number}.example.com")],
            "path": { "pathPrefix": format!("/area-{number}") },
            "headers": { "x-user-group": { "exact": "beta" } },
        }],
        "route": { "to": "v2" },
    })
}
