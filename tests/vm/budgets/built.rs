//! Requests that no case file holds: many rules, long headers, trailers, what comes out of a sidecar, a merged policy.

mod large;
mod many;
mod merged;
mod phases;

use narrows_harness::form::Form;
use narrows_vm::{Exchange, Response};
use serde_json::Value;

use super::Priced;

pub(super) fn all() -> Vec<Priced> {
    [many::all(), large::all(), phases::all(), merged::all()].into_iter().flatten().collect()
}

/// A request of everyday length under a policy.
fn priced(filter: &str, name: &str, policy: &Value, exchange: Exchange) -> Priced {
    Priced {
        name: format!("{filter}, {name}"),
        filter: filter.to_owned(),
        policy: policy.to_string(),
        form: Form::Modules,
        vm: r#"{"strict":true}"#.to_owned(),
        exchange,
        answer: Response::ok().header("content-type", "text/html").body("some"),
    }
}
