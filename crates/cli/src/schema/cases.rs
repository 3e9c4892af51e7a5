//! Case files as a schema. A test compares it with their reader.

use narrows_cases::AUTHORITY;
use narrows_core::moment;
use serde_json::{Value, json};

/// The schema of case files; their policy fits `policy`.
pub(super) fn of(policy: &Value) -> Value {
    json!({
        "type": "object",
        "description": "A policy, requests, and what becomes of each.",
        "additionalProperties": false,
        "anyOf": [
            { "required": ["cases"], "properties": { "cases": { "minItems": 1 } } },
            { "required": ["refused"], "properties": { "refused": { "minItems": 1 } } },
        ],
        "not": { "required": ["policy", "policyFile"] },
        "properties": {
            "about": text("One sentence: what the cases have in common."),
            "policy": policy,
            "policyFile": text("The file that has the policy, from the folder of the case file."),
            "vm": { "description": "The VM's configuration; only a real module reads it." },
            "cases": list(&case(), "The requests."),
            "refused": list(&refused(), "Policies that must not load."),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn list(items: &Value, description: &str) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

fn table(required: &[&str], properties: &Value) -> Value {
    let mut schema =
        json!({ "type": "object", "additionalProperties": false, "properties": properties.clone() });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn case() -> Value {
    let mut case = table(
        &["name"],
        &json!({
            "name": text("What it shows, in a few words."),
            "send": send(),
            "answer": table(&[], &json!({ "status": status(), "headers": lines() })),
            "expect": expect(),
            "budget": { "type": "boolean", "description": "Whether its price is kept." },
            "runners": list(&json!({ "enum": ["core", "wasm", "envoy"] }), "Where it runs, unless everywhere."),
            "because": text("Why it does not run everywhere."),
        }),
    );
    case["dependentRequired"] = json!({ "runners": ["because"], "because": ["runners"] });
    case
}

fn refused() -> Value {
    table(
        &["name", "policy", "fault"],
        &json!({
            "name": text("What it shows, in a few words."),
            "policy": { "description": "The policy." },
            "fault": text("The code and the place of its first fault."),
        }),
    )
}

fn send() -> Value {
    let source = table(
        &[],
        &json!({
            "address": { "type": "string", "pattern": ADDRESS, "description": "The caller's address, with its port." },
            "principal": text("The name in the caller's certificate."),
            "verified": { "type": "boolean", "default": true, "description": "Whether that was verified." },
            "namespace": text("The namespace of the sidecar that the filter runs in."),
            "workload": text("The workload of that sidecar."),
        }),
    );
    let lines_or_table = |description: &str| {
        json!({
            "description": description,
            "anyOf": [lines(), { "type": "object", "additionalProperties": values() }],
        })
    };
    let mut send = table(
        &[],
        &json!({
            "method": { "type": "string", "default": "GET", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
            "scheme": { "enum": ["http", "https"], "default": "http" },
            "target": { "type": "string", "default": "/", "pattern": TARGET },
            "authority": { "type": "string", "default": AUTHORITY, "pattern": "^[^\\u0000-\\u0020\\u007f]*$" },
            "headers": lines_or_table("Lines in order, bytes as \\xNN; or a table of names and values."),
            "body": text("The body."),
            "protocol": { "enum": ["http1", "http2"], "default": "http1" },
            "source": source,
            "serverName": text("The SNI of the connection."),
            "cluster": text("The cluster of the route that Envoy has found, for a sidecar."),
            "virtualHost": text("The virtual host of that route."),
            "metadata": {
                "type": "object",
                "description": "The dynamic metadata that filters in front wrote: a table for each.",
                "additionalProperties": { "type": "object" },
            },
            "stripped": text("The filter state narrows_stripped that an earlier filter left."),
            "at": {
                "type": "string",
                "pattern": moment::PATTERN,
                "description": "When it is sent, such as 2026-12-01T09:00:00Z: a ramp depends on it.",
            },
            "direction": {
                "enum": ["inbound", "outbound"],
                "description": "On which side of a workload it passes: lanes depend on it.",
            },
            "cameIn": list(
                &lines_or_table("The header lines of one of them."),
                "Requests that came in to the workload before and have been served.",
            ),
        }),
    );
    send["dependentRequired"] = json!({ "cameIn": ["direction"] });
    send
}

fn lines() -> Value {
    json!({ "type": "array", "items": { "type": "string", "pattern": "^[^:]+:" } })
}

fn values() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}

fn status() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": 65535 })
}

fn headers() -> Value {
    json!({ "type": "object", "additionalProperties": values() })
}

fn expect() -> Value {
    let absent = list(&json!({ "type": "string" }), "Headers that are not there.");
    let upstream = table(
        &[],
        &json!({
            "method": { "type": "string" }, "target": { "type": "string" }, "authority": { "type": "string" },
            "headers": headers(), "absent": absent,
        }),
    );
    let answered = table(
        &[],
        &json!({
            "status": status(), "body": { "type": "string" }, "headers": headers(), "absent": absent,
            "grpc_status": { "type": "integer", "minimum": 0, "maximum": 255 },
        }),
    );
    table(
        &[],
        &json!({
            "upstream": upstream,
            "reply": answered,
            "response": answered,
            "state": { "type": "object", "additionalProperties": { "type": ["string", "null"] } },
            "counts": { "type": "object", "additionalProperties": { "type": "integer" } },
        }),
    )
}

/// A path, a URL, `*` for OPTIONS, or a host and a port for CONNECT.
const TARGET: &str = "^(/|https?://|\\*$|[^/?#:]+:[0-9]+$)[^\\u0000-\\u0020\\u007f]*$";
/// What Envoy writes: an address of IP, a pipe, or another listener of its own.
const ADDRESS: &str = "^(envoy://|/|@|[0-9.]+(:[0-9]+)?$|\\[[0-9A-Fa-f:.]+\\](:[0-9]+)?$|[0-9A-Fa-f:.]+$)";
