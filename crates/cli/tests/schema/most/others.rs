//! Of metric-tags and egress-policy.

use narrows_core::limits;
use serde_json::{Map, Value, json};

use super::{Limit, list, table};

/// So many tags, of names of which none ends in another.
fn tags(count: usize) -> Value {
    (0..count)
        .map(|n| (tag(n), json!({ "header": format!("x-{n}"), "maxValues": 2 })))
        .collect::<Map<_, _>>()
        .into()
}

fn tag(number: usize) -> String {
    format!("t{number:02}")
}

/// A tag from one source.
fn source(name: &str, source: &Value) -> Value {
    json!({ "tags": { tag(0): { name: source } }, "metrics": [{ "name": "m", "tags": [tag(0)] }] })
}

pub(super) const TAGS: [Limit; 11] = [
    ("tags", limits::TAGS, "NRW106", |most| json!({ "tags": tags(most), "metrics": [{ "name": "m" }] })),
    (
        "metrics",
        limits::METRICS,
        "NRW106",
        |most| json!({ "metrics": list(most, |n| json!({ "name": format!("m{n:02}_total") })) }),
    ),
    (
        "metrics[0].tags",
        limits::METRIC_TAGS,
        "NRW106",
        |most| json!({ "tags": tags(most), "metrics": [{ "name": "m", "tags": list(most, |n| json!(tag(n))) }] }),
    ),
    ("tags.t00.pathTemplates", limits::TEMPLATES, "NRW106", |most| {
        source("pathTemplates", &list(most, |n| json!(format!("/a{n}/{{id}}"))))
    }),
    ("tags.t00.pathTemplates[0]", limits::TEMPLATE_SEGMENTS, "NRW505", |most| {
        source("pathTemplates", &json!(["/a".repeat(most)]))
    }),
    ("tags.t00.hostMap", limits::HOST_MAP, "NRW106", |most| source("hostMap", &table(most, |_| json!("v")))),
    ("tags.t00.durationClass", limits::VALUES, "NRW106", |most| {
        source("durationClass", &list(most, |n| json!(n + 1)))
    }),
    ("exclude", limits::MATCHES, "NRW106", |most| {
        let one = |n| json!({ "path": { "exact": format!("/{n}") } });
        json!({ "metrics": [{ "name": "m" }], "exclude": list(most, one) })
    }),
    ("attributes", limits::TAGS, "NRW106", |most| {
        let one = |n| json!({ "output_attribute": tag(n), "match": [{ "value": "v" }] });
        json!({ "attributes": list(most, one) })
    }),
    ("attributes[0].match", limits::ATTRIBUTE_RULES, "NRW106", |most| {
        let one = |n| json!({ "value": "v", "condition": format!("request.url_path == '/{n}'") });
        json!({ "attributes": [{ "output_attribute": "istio_operationId", "match": list(most, one) }] })
    }),
    (
        "limits.maxSeries",
        10_000,
        "NRW107",
        |most| json!({ "metrics": [{ "name": "m" }], "limits": { "maxSeries": most } }),
    ),
];

/// A rule of egress-policy for these destinations and callers.
fn leaves(to: &Value, from: &Value) -> Value {
    json!({ "rules": [{ "name": "r", "action": "allow", "to": to, "from": from }] })
}

fn anyone() -> Value {
    json!({ "namespaces": ["a"] })
}

pub(super) const EGRESS: [Limit; 10] = [
    ("rules", limits::RULES, "NRW106", |most| {
        let rule = |n| json!({ "name": format!("r{n}"), "action": "allow", "to": { "hosts": [format!("h{n}.example")] } });
        json!({ "rules": list(most, rule) })
    }),
    ("rules[0].to.hosts", limits::HOSTS, "NRW106", |most| {
        leaves(&json!({ "hosts": list(most, |n| json!(format!("h{n}.example"))) }), &anyone())
    }),
    ("rules[0].to.cidrs", limits::SOURCES, "NRW106", |most| {
        leaves(
            &json!({ "cidrs": list(most, |n| json!(format!("8.8.{}.{}/32", n / 256, n % 256))) }),
            &anyone(),
        )
    }),
    ("rules[0].to.ports", limits::PORTS, "NRW106", |most| {
        leaves(&json!({ "ports": list(most, |n| json!(n + 1)) }), &anyone())
    }),
    ("rules[0].to.methods", limits::METHODS, "NRW106", |most| {
        let letters = |n: usize| ["A", "B", "C"][n / 32].repeat(n % 32 + 1);
        leaves(&json!({ "methods": list(most, |n| json!(letters(n))) }), &anyone())
    }),
    ("rules[0].to.paths", limits::MATCHES, "NRW106", |most| {
        leaves(&json!({ "paths": list(most, |n| json!({ "exact": format!("/{n}") })) }), &anyone())
    }),
    ("rules[0].from.principals", limits::SOURCES, "NRW106", |most| {
        let name = |n| json!(format!("spiffe://cluster.local/ns/a/sa/{n}"));
        leaves(&json!({ "hosts": ["h.example"] }), &json!({ "principals": list(most, name) }))
    }),
    ("denyPrivateAddresses.except", limits::SOURCES, "NRW106", |most| {
        let block = |n: usize| json!(format!("10.0.{}.{}", n / 256, n % 256));
        json!({ "rules": [], "denyPrivateAddresses": { "except": list(most, block) } })
    }),
    (
        "requestHeaders.remove",
        limits::STRIP,
        "NRW106",
        |most| json!({ "rules": [], "requestHeaders": { "remove": list(most, |n| json!(format!("x-{n}"))) } }),
    ),
    (
        "learn.maxHosts",
        limits::LEARN_HOSTS,
        "NRW107",
        |most| json!({ "rules": [], "learn": { "maxHosts": most } }),
    ),
];
