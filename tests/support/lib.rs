//! What the suites share: a filter on a real Envoy in a few lines.

mod bench;
pub mod books;
pub mod signals;
pub mod tags;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, wasm_config,
};
use narrows_harness::root;
use serde_json::{Value, json};

pub use bench::{Bench, Plan};

/// The command line as the sources have it, built once. Cargo builds no program of another
/// package for a test, and an older one would be tested in its place.
pub fn narrows() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "narrows"]).current_dir(root());
        assert!(build.status().is_ok_and(|status| status.success()), "narrows cannot be built");
        let this = std::env::current_exe().expect("a program knows where it is");
        let debug = this.ancestors().nth(2).expect("cargo puts tests below the programs");
        debug.join("narrows")
    });
    BUILT.clone()
}

/// The VM configuration under which every bad policy is refused.
pub const STRICT: Option<&str> = Some(r#"{"strict": true}"#);

/// The filters, each with a policy that decides on every request.
pub const FILTERS: [(&str, &str); 4] = [
    (
        "header-router",
        r#"{ "strip": ["x-internal-*"],
             "explain": { "when": { "headers": { "x-explain": { "present": true } } } },
             "rules": [
               { "name": "by-user", "matches": [ { "headers": { "x-user": { "regex": "[a-z]+" } } } ],
                 "route": { "to": "users" }, "requestHeaders": { "set": { "x-copy": "%REQ(x-user)%" } } },
               { "name": "by-cookie", "matches": [ { "cookies": { "uid": { "contains": "x" } } } ], "route": { "to": "cookies" } },
               { "name": "rest", "matches": [ { "queryParams": { "q": { "present": true } } } ], "route": { "authority": "query" } } ] }"#,
    ),
    (
        "canary-split",
        r#"{ "trust": "mesh",
             "explain": { "when": { "headers": { "x-explain": { "present": true } } } },
             "splits": [
               { "name": "all", "key": [ { "header": "x-user" }, { "cookie": "uid" }, { "queryParam": "q" } ],
                 "override": { "header": "x-canary" },
                 "backends": [ { "name": "stable", "baseline": true },
                               { "name": "canary", "to": "canary", "weight": 50 } ] } ] }"#,
    ),
    (
        "metric-tags",
        r#"{ "tags": { "user": { "header": "x-user", "maxValues": 20, "maxLength": 16 },
                       "uid": { "cookie": "uid", "maxValues": 20 }, "q": { "queryParam": "q", "maxValues": 20 },
                       "operation": { "pathTemplates": ["/", "/a/{id}/*"], "other": "unmatched" }, "code": { "statusClass": true } },
             "metrics": [ { "name": "hostile_total", "type": "counter", "tags": ["user", "uid", "q", "operation", "code"] } ],
             "limits": { "maxSeries": 50 }, "publish": ["user", "uid"] }"#,
    ),
    (
        "egress-policy",
        r#"{ "default": "allow",
             "rules": [ { "name": "never", "action": "deny", "to": { "hosts": ["evil.example"], "paths": [ { "template": "/a/{id}" } ] } } ],
             "denyPrivateAddresses": true, "learn": { "maxHosts": 20 } }"#,
    ),
];

/// The built module of a filter.
///
/// # Panics
/// If it is not built: there is nothing to test then.
pub fn module(filter: &str) -> PathBuf {
    let path = root().join("dist").join(format!("{filter}.wasm"));
    assert!(path.is_file(), "no {}: run make filters", path.display());
    path
}

/// The typed configuration of a filter with a policy.
pub fn configured(filter: &str, policy: &str, vm: Option<&str>) -> Value {
    wasm_config(&format!("narrows.{filter}"), &module(filter), policy, vm, "FAIL_RELOAD")
}

/// A filter with a policy and a strict VM, as a listener has it.
pub fn entry(filter: &str, policy: &str) -> Value {
    json!({ "name": filter, "typed_config": configured(filter, policy, STRICT) })
}

/// A bootstrap: one listener with one filter before a catch-all route to `upstream`.
pub fn with_filter(filter: &Value, upstream: SocketAddr) -> Value {
    let routes = route_config(&[cluster_route("echo")]);
    bootstrap(
        &[listener("main", std::slice::from_ref(filter), &routes)],
        &[static_cluster("echo", upstream, false)],
    )
}
