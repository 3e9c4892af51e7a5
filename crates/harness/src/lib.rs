//! Harness: what proves that a filter does in a proxy what its policy says.
//!
//! Real Envoys, applications that report what reached them, and clients that
//! send exactly the bytes they are given.

pub mod bootstrap;
pub mod certificates;
pub mod client;
pub mod ecds;
pub mod echo;
pub mod envoy;
pub mod form;
pub mod http1;
pub mod http2;
pub mod markdown;
pub mod message;
pub mod process;
pub mod prometheus;
pub mod registry;
pub mod session;
pub mod temp;
pub mod wait;

/// The root of the workspace that this was built in.
pub fn workspace() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// That workspace, unless `NARROWS_ROOT` names another.
pub fn root() -> std::path::PathBuf {
    std::env::var_os("NARROWS_ROOT").map_or_else(workspace, std::path::PathBuf::from)
}

/// A filter's module: in `$NARROWS_DIST`, or in the workspace's `dist`.
pub fn module(filter: &str) -> anyhow::Result<std::path::PathBuf> {
    let dist = std::env::var_os("NARROWS_DIST").map_or_else(|| workspace().join("dist"), Into::into);
    let path = dist.join(format!("{filter}.wasm"));
    anyhow::ensure!(path.is_file(), "there is no {}; run make filters", path.display());
    Ok(path)
}
