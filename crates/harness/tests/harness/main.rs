//! The harness against a real Envoy: what the other suites rely on.

mod committed;
mod echo;
mod lifecycle;
mod pushes;
mod traffic;
mod wasm;

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::echo::Echo;
use serde_json::Value;

/// One listener `http`, everything to the application.
pub(crate) fn plain(echo: &Echo, upstream_http2: bool) -> Value {
    bootstrap(
        &[listener("http", &[], &route_config(&[cluster_route("stock")]))],
        &[static_cluster("stock", echo.addr(), upstream_http2)],
    )
}

/// The configuration of the connection manager in the first listener.
pub(crate) fn manager(config: &mut Value) -> &mut Value {
    config
        .pointer_mut("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config")
        .expect("`listener` has made it")
}
