//! # narrows-host
//!
//! The one adapter between a pure policy and Envoy: the only crate that names
//! `proxy_wasm`, and so the only place from which a host call can be made.
//!
//! Everything is read as bytes. The SDK panics on text that is not UTF-8, on a call
//! in the wrong phase and on a status that it does not expect, and a panic is an
//! outage; so every call goes through `read`, `apply`, `metric` or `shared`, in
//! the phase in which Envoy answers it.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod apply;
mod around;
mod guard;
mod learn;
mod lease;
mod ledger;
mod meter;
mod metric;
mod read;
mod root;
mod shared;
mod stream;

use narrows_core::Policy;
use proxy_wasm::types::LogLevel;

#[doc(hidden)]
pub use proxy_wasm;

/// Makes a crate a filter for a policy: its entry point in Envoy.
#[macro_export]
macro_rules! filter {
    ($policy:ident) => {
        #[allow(missing_docs, unreachable_pub, reason = "what the SDK's macro writes")]
        mod entry {
            $crate::proxy_wasm::main! {{ $crate::start::<super::$policy>(); }}
        }
    };
}

/// Tells Envoy how to make the contexts of a filter.
pub fn start<P: Policy + 'static>() {
    // Also installs the hook that logs where a panic happened, should one ever do.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| root::Root::<P>::boxed());
}
