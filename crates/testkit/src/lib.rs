//! Testkit: what proves that a filter does in a proxy what its policy says.
//!
//! Real Envoys, applications that report what reached them, and clients that
//! send exactly the bytes they are given.

pub mod bootstrap;
#[cfg(feature = "wasm")]
pub mod case;
pub mod ecds;
pub mod echo;
pub mod envoy;
pub mod escape;
pub mod http1;
pub mod http2;
pub mod mesh;
pub mod message;
pub mod process;
pub mod prometheus;
pub mod temp;
pub mod wait;
#[cfg(feature = "wasm")]
pub mod wasm;

/// The root of the workspace that this was built in.
pub fn workspace() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
