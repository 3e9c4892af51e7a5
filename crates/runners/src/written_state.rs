//! Filter state, written into every answer, where a client can read it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Begins the headers that carry filter state out of Envoy.
pub const STATE: &str = "x-case-state-";

/// The listener, which writes these objects of filter state into every answer: by the route into the
/// upstream's, by the mapper into those that a filter or Envoy gives. What is not there is a dash.
#[must_use]
pub fn with_state(mut listener: Value, keys: &BTreeSet<String>) -> Value {
    let written: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "header": {
                    "key": format!("{STATE}{}", key.replace('_', "-")),
                    "value": format!("%FILTER_STATE(wasm.{key}:PLAIN)%"),
                },
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            })
        })
        .collect();
    let always = json!({ "status_code_filter": { "comparison": {
        "op": "GE", "value": { "default_value": 0, "runtime_key": "narrows.cases" } } } });
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["route_config"]["response_headers_to_add"] = json!(written);
    manager["local_reply_config"] = json!({ "mappers": [{ "filter": always, "headers_to_add": written }] });
    listener
}
