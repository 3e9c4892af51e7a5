//! Bootstraps: small ones made in a test, and committed ones fitted to this
//! machine.

mod parts;
mod rewrite;

pub use parts::{
    bootstrap, cluster_route, limit_connections, listener, native_filter, refusing_filter, route_config,
    static_cluster, tcp_listener, wasm_config, wasm_config_in, wasm_filter,
};
pub use rewrite::{Endpoints, Rewrite, read_yaml};
