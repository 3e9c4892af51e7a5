//! All filters in one module: the root id of a plugin says which one it is.
//!
//! The root id `narrows` is the merged plugin: one policy with a part for each filter. It is
//! [`narrows_core::merged`]; what Envoy calls is [`narrows_host`]. See the README beside this crate.

pub use narrows_core::merged::Merged as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::bundle!();
