//! What is measured beside ours: no filter, an empty one, Lua for the same jobs, Envoy's own features.

use std::path::Path;

use narrows_harness::bootstrap::{native_filter, wasm_filter};
use serde_json::{Value, json};

use super::chain::{Behind, Chain, End, Routes};
use super::ours::COUNTS;
use super::policies::{FEW, request};

pub(super) const NONE: &str = "no filter";
pub(super) const EMPTY: &str = "empty Wasm filter";

/// What everything else is compared with. `empty` is the module of the empty filter.
pub(super) fn bases(empty: &Path) -> Vec<Chain> {
    let nothing = wasm_filter("empty", empty, "", None, "FAIL_CLOSED");
    vec![
        Chain::new(NONE, Vec::new(), request(FEW - 1), End::Stable),
        Chain::new(EMPTY, vec![nothing], request(FEW - 1), End::Stable),
    ]
}

pub(super) fn lua() -> Vec<Chain> {
    let chain =
        |name: &str, script: &str| Chain::new(name, vec![scripted(script)], request(FEW - 1), End::Canary);
    vec![
        chain("Lua, header-router's job", include_str!("router.lua"))
            .noted("does not remove forged headers, counts nothing, writes no filter state"),
        chain("Lua, canary-split's job", include_str!("split.lua"))
            .noted("counts nothing, writes no filter state, does not notice that the canary is gone"),
    ]
}

fn scripted(script: &str) -> Value {
    let config = json!({ "default_source_code": { "inline_string": script } });
    native_filter("envoy.filters.http.lua", "envoy.extensions.filters.http.lua.v3.Lua", config)
}

/// The same rules as Envoy's routes, once in a virtual host each and once all in one.
pub(super) fn routes() -> Vec<Chain> {
    let chain = |name: &str, count: usize, routes| {
        let chain = Chain::new(
            format!("Envoy's routes, {count} {name}"),
            Vec::new(),
            request(count - 1),
            End::Canary,
        );
        // Said once: it holds for all of them.
        let note = if name == HOSTS && count == FEW {
            "this and the other rows of routes: they do not remove forged headers, count no rule, and write no filter state"
        } else {
            ""
        };
        chain.routed(Routes::Rules(count, routes)).noted(note)
    };
    let by_host = COUNTS.map(|count| chain(HOSTS, count, by_virtual_host));
    // Envoy tries them one by one.
    let in_one = COUNTS.map(|count| {
        chain("in one virtual host", count, in_one_virtual_host).scarce(if count > 1_000 { 20 } else { 1 })
    });
    by_host.into_iter().chain(in_one).collect()
}

const HOSTS: &str = "virtual hosts";

/// What egress-policy's rules say, as Envoy's own filter.
pub(super) fn rbac() -> Chain {
    let permissions = json!([{ "and_rules": { "rules": [
        { "header": { "name": ":authority", "string_match": { "suffix": ".example.com" } } },
        { "header": { "name": ":method", "string_match": { "exact": "GET" } } },
        { "url_path": { "path": { "contains": "/books/" } } },
    ] } }]);
    let rules = json!({ "action": "ALLOW", "policies": { "books": { "permissions": permissions, "principals": [{ "any": true }] } } });
    let filter = native_filter(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        json!({ "rules": rules }),
    );
    Chain::new("Envoy's RBAC, egress-policy's job", vec![filter], request(FEW - 1), End::Stable)
        .noted("reads neither hosts nor paths in all their spellings, counts no rule, names no destination")
}

/// Needs clusters, so it is measured where there are some.
pub(super) fn weighted_clusters() -> Chain {
    Chain::new("Envoy's weighted_clusters, by header", Vec::new(), request(FEW - 1), End::Canary)
        .routed(Routes::Own(weighted))
        .noted("a raised weight moves users between backends; counts by cluster only; does not notice that the canary is gone")
}

fn weighted(behind: Behind) -> Value {
    let split = json!({
        "match": { "prefix": "/" },
        "route": {
            "weighted_clusters": { "clusters": [{ "name": "canary", "weight": 100 }], "use_hash_policy": true },
            "hash_policy": [{ "header": { "header_name": "x-user-id" } }],
        },
    });
    json!({ "name": "local", "virtual_hosts": [
        { "name": "books", "domains": ["host-9.example.com"], "routes": [split] },
        { "name": "rest", "domains": ["*"], "routes": [behind.stable()] },
    ] })
}

fn by_virtual_host(behind: Behind, count: usize) -> Value {
    let host = |number: usize| {
        let route = behind
            .canary(&json!({ "path_separated_prefix": format!("/area-{number}"), "headers": [group()] }));
        json!({ "name": format!("rule-{number}"), "domains": [format!("host-{number}.example.com")], "routes": [route, behind.stable()] })
    };
    let rest = json!({ "name": "rest", "domains": ["*"], "routes": [behind.stable()] });
    json!({ "name": "local", "virtual_hosts": (0..count).map(host).chain([rest]).collect::<Vec<_>>() })
}

fn in_one_virtual_host(behind: Behind, count: usize) -> Value {
    let route = |number: usize| {
        let host = json!({ "name": ":authority", "string_match": { "exact": format!("host-{number}.example.com") } });
        behind.canary(
            &json!({ "path_separated_prefix": format!("/area-{number}"), "headers": [host, group()] }),
        )
    };
    let routes: Vec<Value> = (0..count).map(route).chain([behind.stable()]).collect();
    json!({ "name": "local", "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] })
}

fn group() -> Value {
    json!({ "name": "x-user-group", "string_match": { "exact": "beta" } })
}
