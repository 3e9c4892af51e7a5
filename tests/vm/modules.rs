//! What is in a module: imports and size.

use std::collections::BTreeSet;
use std::fs;

use narrows_tests::{filters, module};
use narrows_vm::Module;

/// What every module exports, and what some filters need besides.
const ALWAYS: [&str; 9] = [
    "_initialize",
    "malloc",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_request_headers",
    "proxy_on_tick",
    "memory",
];
const BESIDES: [(&str, &[&str]); 5] = [
    ("header-router", &["proxy_on_request_trailers", "proxy_on_response_headers"]),
    (
        "canary-split",
        &[
            "proxy_on_http_call_response",
            "proxy_on_log",
            "proxy_on_request_trailers",
            "proxy_on_response_headers",
        ],
    ),
    ("metric-tags", &["proxy_on_log", "proxy_on_request_trailers", "proxy_on_response_headers"]),
    ("egress-policy", &["proxy_on_request_trailers", "proxy_on_response_headers"]),
    ("traffic-lanes", &["proxy_on_log", "proxy_on_request_trailers", "proxy_on_response_headers"]),
];

#[test]
fn a_module_exports_what_its_filter_needs() {
    for (filter, besides) in BESIDES {
        let loaded = Module::load(module(filter)).unwrap();
        let callbacks = loaded.exports().into_iter().filter(|name| !name.starts_with("__"));
        let callbacks: BTreeSet<String> = callbacks.collect();
        let expected = ALWAYS.iter().chain(besides).map(|name| (*name).to_owned());
        assert_eq!(callbacks, expected.collect(), "{filter}");
    }
}

#[test]
fn a_module_imports_envoys_calls_alone_and_is_small() {
    for (filter, _) in filters() {
        let path = module(filter);
        let size = fs::metadata(&path).unwrap().len();
        // The module of all filters, of which there are five, has what they share once.
        let most = match filter {
            "narrows" => 1_350_000,
            // It reads moments in time, and says them, gives ids with answers that no cache keeps, and judges
            // canaries.
            "canary-split" => 795_000,
            _ => 700_000,
        };
        assert!(size < most, "{filter}.wasm has {size} bytes");
        let loaded = Module::load(&path).unwrap();
        for (from, name) in loaded.imports() {
            assert!(from == "env" && name.starts_with("proxy_"), "{filter}.wasm imports {from}.{name}");
        }
    }
}
