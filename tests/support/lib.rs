//! What the suites share: a filter on a real Envoy in a few lines.

mod bench;
#[path = "../bench/bill.rs"]
pub mod bill;
pub mod books;
pub mod priced;
pub mod shipped;
pub mod signals;
pub mod tags;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, wasm_config, wasm_config_in,
};
use narrows_harness::envoy;
use narrows_harness::form::Form;
use narrows_harness::root;
use serde_json::{Value, json};

pub use bench::{Bench, Plan};

/// Whether this Envoy is older than a minor release, and so lacks something; that is said then.
///
/// # Panics
///
/// If there is no Envoy, or it does not tell its version.
pub fn lacks(release: u32, what: &str) -> bool {
    let minor = envoy::minor().expect("Envoy tells its version");
    if minor < release {
        println!("SKIPPED: {what} came with Envoy 1.{release}, and this is 1.{minor}");
    }
    minor < release
}

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

/// Whether filters are attached as parts of the merged plugin. It refuses every bad policy, even the first,
/// and speaks of itself under its own name: what a filter alone does differently is not to be seen then.
pub fn is_merged() -> bool {
    Form::chosen() == Form::Plugin
}

/// The VM configuration under which every bad policy is refused.
pub const STRICT: Option<&str> = Some(r#"{"strict": true}"#);

/// The filters, each with a policy that decides on every request: `filters/NAME/every-request.json`.
///
/// # Panics
/// If a filter has none.
pub fn filters() -> Vec<(&'static str, String)> {
    let policy = |filter: &&'static str| {
        let path = root().join("filters").join(filter).join("every-request.json");
        (*filter, std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    };
    narrows_core::filter::FILTERS.iter().map(policy).collect()
}

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

/// The same in some form.
pub fn entry_in(form: Form, filter: &str, policy: &str) -> Value {
    let name = format!("narrows.{filter}");
    let config = wasm_config_in(form, &name, &module(filter), policy, STRICT, "FAIL_RELOAD");
    json!({ "name": filter, "typed_config": config })
}

/// A bootstrap: one listener with one filter before a catch-all route to `upstream`.
pub fn with_filter(filter: &Value, upstream: SocketAddr) -> Value {
    let routes = route_config(&[cluster_route("echo")]);
    bootstrap(
        &[listener("main", std::slice::from_ref(filter), &routes)],
        &[static_cluster("echo", upstream, false)],
    )
}
