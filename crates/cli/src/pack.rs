//! A module as an image: what Istio and Envoy Gateway fetch, made of nothing but the module and what is
//! said of it, so that the same module is the same image on every machine.
//!
//! ```text
//!  module ─▶ module   what it is, and what it needs of its host
//!         └▶ image    one of the two forms: blobs and a manifest
//!              ├▶ layout      on disk
//!              └▶ signature   what cosign verifies, as an image of its own
//! ```

mod image;
mod layout;
mod module;
mod signature;

pub use image::{About, Blob, Form, Image, digest};
pub use layout::write;
pub use module::Module;
pub use signature::{SIGNATURES, Signer};
