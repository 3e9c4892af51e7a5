//! Of header-router and canary-split.

use narrows_core::limits;
use serde_json::{Value, json};

use super::{Limit, list, table, text};

/// A rule of header-router with these fields.
fn rule(fields: &Value) -> Value {
    let mut rule = json!({ "name": "r" });
    for (name, value) in fields.as_object().into_iter().flatten() {
        rule[name] = value.clone();
    }
    json!({ "rules": [rule] })
}

/// A rule with one match.
fn of(fields: &Value) -> Value {
    rule(&json!({ "matches": [fields] }))
}

fn exact(n: usize) -> Value {
    json!({ "exact": n.to_string() })
}

pub(super) const RULES: [Limit; 14] = [
    ("rules", limits::RULES, "NRW106", |most| {
        let rule =
            |n| json!({ "name": format!("r{n}"), "matches": [{ "path": { "exact": format!("/{n}") } }] });
        json!({ "rules": list(most, rule) })
    }),
    ("rules[0].name", limits::NAME, "NRW108", |most| rule(&json!({ "name": text(most) }))),
    ("rules[0].matches", limits::MATCHES, "NRW106", |most| {
        rule(&json!({ "matches": list(most, |n| json!({ "path": { "exact": format!("/{n}") } })) }))
    }),
    ("rules[0].requestHeaders.set", limits::EDITS, "NRW106", |most| {
        rule(&json!({ "requestHeaders": { "set": table(most, |n| json!(n.to_string())) } }))
    }),
    ("rules[0].requestHeaders.add", limits::EDITS, "NRW106", |most| {
        rule(&json!({ "requestHeaders": { "add": table(most, |n| json!(n.to_string())) } }))
    }),
    ("rules[0].responseHeaders.remove", limits::EDITS, "NRW106", |most| {
        rule(&json!({ "responseHeaders": { "remove": list(most, |n| json!(format!("x-{n}"))) } }))
    }),
    ("rules[0].requestHeaders.set.x", limits::QUOTATIONS, "NRW106", |most| {
        let quoted: String = (0..most).map(|n| format!("%REQ(x-{n})%")).collect();
        rule(&json!({ "requestHeaders": { "set": { "x": quoted } } }))
    }),
    ("rules[0].requestHeaders.set.x", limits::VALUE_BYTES, "NRW504", |most| {
        rule(&json!({ "requestHeaders": { "set": { "x": text(most) } } }))
    }),
    ("rules[0].respond.body", limits::VALUE_BYTES, "NRW106", |most| {
        rule(&json!({ "respond": { "status": 404, "body": text(most) } }))
    }),
    ("rules[0].route.toValues", limits::TO_VALUES, "NRW106", |most| {
        rule(&json!({ "route": { "to": "%REQ(x)%", "toValues": list(most, |n| json!(format!("v{n}"))) } }))
    }),
    (
        "strip",
        limits::STRIP,
        "NRW106",
        |most| json!({ "strip": list(most, |n| json!(format!("x-{n}"))), "rules": [] }),
    ),
    ("rules[256].matches[0].path.regex", limits::REGEXES, "NRW106", |most| {
        let path = |n| json!({ "path": { "regex": format!("/{n}/[0-9]+") } });
        json!({ "rules": list(most, |n| json!({ "name": format!("r{n}"), "matches": [path(n)] })) })
    }),
    ("rules[0].matches[4].metadata[0]", limits::METADATA_PATHS, "NRW106", |most| {
        let claim = |n| json!({ "path": ["jwt", format!("c{n}")], "exact": "1" });
        let of = |n: usize| json!({ "metadata": list(most.saturating_sub(16 * n).min(16), |m| claim(16 * n + m)) });
        rule(&json!({ "matches": list(most.div_ceil(16), of) }))
    }),
    ("rules[0].matches[0].metadata[0].path", limits::METADATA_DEPTH, "NRW106", |most| {
        of(&json!({ "metadata": [{ "path": list(most, |n| json!(format!("n{n}"))), "exact": "1" }] }))
    }),
];

pub(super) const MATCHES: [Limit; 9] = [
    ("rules[0].matches[0].headers", limits::CONDITIONS, "NRW106", |most| {
        of(&json!({ "headers": table(most, exact) }))
    }),
    ("rules[0].matches[0].withoutHeaders", limits::CONDITIONS, "NRW106", |most| {
        of(&json!({ "withoutHeaders": table(most, exact) }))
    }),
    ("rules[0].matches[0].cookies", limits::CONDITIONS, "NRW106", |most| {
        of(&json!({ "cookies": table(most, exact) }))
    }),
    ("rules[0].matches[0].queryParams", limits::CONDITIONS, "NRW106", |most| {
        of(&json!({ "queryParams": table(most, exact) }))
    }),
    ("rules[0].matches[0].hosts", limits::HOSTS, "NRW106", |most| {
        of(&json!({ "hosts": list(most, |n| json!(format!("h{n}.example"))) }))
    }),
    ("rules[0].matches[0].source.cidrs", limits::SOURCES, "NRW106", |most| {
        of(
            &json!({ "source": { "cidrs": list(most, |n| json!(format!("10.0.{}.{}/32", n / 256, n % 256))) } }),
        )
    }),
    ("rules[0].matches[0].source.principals", limits::SOURCES, "NRW106", |most| {
        let name = |n| json!(format!("spiffe://cluster.local/ns/a/sa/{n}"));
        of(&json!({ "source": { "principals": list(most, name) } }))
    }),
    ("rules[0].matches[0].headers.x.in", limits::VALUES, "NRW106", |most| {
        of(&json!({ "headers": { "x": { "in": list(most, |n| json!(n.to_string())) } } }))
    }),
    ("rules[0].matches[0].path.in", limits::VALUES, "NRW106", |most| {
        of(&json!({ "path": { "in": list(most, |n| json!(format!("/{n}"))) } }))
    }),
];

/// A split with these fields.
fn split(fields: &Value) -> Value {
    let backends = json!([{ "name": "v1", "baseline": true }, { "name": "v2", "to": "v2", "weight": 1 }]);
    let mut split = json!({ "name": "s", "hosts": ["s"], "key": [{ "header": "x" }], "backends": backends });
    for (name, value) in fields.as_object().into_iter().flatten() {
        split[name] = value.clone();
    }
    json!({ "splits": [split] })
}

pub(super) const SPLITS: [Limit; 9] = [
    ("splits", limits::SPLITS, "NRW106", |most| {
        let one =
            |n| split(&json!({ "name": format!("s{n}"), "hosts": [format!("h{n}")] }))["splits"][0].clone();
        json!({ "splits": list(most, one) })
    }),
    ("splits[0].hosts", limits::HOSTS, "NRW106", |most| {
        split(&json!({ "hosts": list(most, |n| json!(format!("h{n}"))) }))
    }),
    ("splits[0].backends", limits::BACKENDS, "NRW106", |most| {
        let canary = |n| json!({ "name": format!("v{n}"), "to": format!("v{n}"), "weight": 1 });
        let one = |n| if n == 0 { json!({ "name": "v0", "baseline": true }) } else { canary(n) };
        split(&json!({ "backends": list(most, one) }))
    }),
    ("splits[0].key", limits::KEYS, "NRW106", |most| {
        split(&json!({ "key": list(most, |n| json!({ "header": format!("x-{n}") })) }))
    }),
    ("splits[0].key", limits::KEY_PARTS, "NRW106", |most| {
        let half = |count: usize, of: &str| json!({ "all": list(count, |n| json!({ "header": format!("x-{of}-{n}") })) });
        let rest = most.saturating_sub(2 * limits::KEYS);
        let more = list(rest, |n| json!({ "header": format!("x-{n}") }));
        let halves = [half(limits::KEYS, "a"), half(limits::KEYS, "b")];
        split(
            &json!({ "key": halves.iter().chain(more.as_array().into_iter().flatten()).collect::<Vec<_>>() }),
        )
    }),
    ("splits[0].include", limits::RULES, "NRW106", |most| {
        let one = |n| json!({ "matches": [{ "path": { "exact": format!("/{n}") } }], "backend": "v2" });
        split(&json!({ "include": list(most, one) }))
    }),
    ("splits[0].override.values", limits::BACKENDS, "NRW106", |most| {
        split(&json!({ "override": { "header": "x-to", "values": table(most, |_| json!("v2")) } }))
    }),
    ("splits[0].backends[1].ramp.steps", limits::RAMP_STEPS, "NRW106", |most| {
        let at = |n: usize| format!("2026-12-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24);
        let steps = list(most, |n| json!({ "at": at(n), "weight": 1 }));
        let canary = json!({ "name": "v2", "to": "v2", "maxWeight": 5, "ramp": { "steps": steps } });
        split(&json!({ "backends": [{ "name": "v1", "baseline": true }, canary] }))
    }),
    ("splits[200].rollback", limits::ROLLBACKS, "NRW106", |most| {
        let own = |n| json!({ "name": format!("s{n}"), "hosts": [format!("h{n}")], "rollback": {} });
        json!({ "splits": list(most, |n| split(&own(n))["splits"][0].clone()) })
    }),
];
