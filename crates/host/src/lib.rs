//! # narrows-host
//!
//! The one adapter between a pure policy and Envoy. It is the only crate that names `proxy_wasm`, and
//! so the only place that can make a host call.
//!
//! Everything is read as bytes. The SDK panics on text that is not UTF-8, on a call in the wrong phase,
//! and on a status that it does not expect; and a panic is an outage. So every call goes through
//! `read`, `apply`, `metric` or `shared`, in the phase in which Envoy answers it.
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
mod extension;
mod lease;
mod loaded;
mod map;
mod metric;
mod node;
mod read;
mod root;
mod shared;
mod stream;

use extension::Extension;
use narrows_core::Policy;
use proxy_wasm::types::LogLevel;

pub use extension::guarding::Watch;
pub use extension::measuring::Measuring;
pub use extension::outgoing::Seen;
#[doc(hidden)]
pub use proxy_wasm;

/// Makes a crate a filter for a policy. What the filter does beside deciding is `()` for nothing, or
/// [`Watch`], [`Measuring`] or [`Seen`]. This is the module's entry point in Envoy.
#[macro_export]
macro_rules! filter {
    ($policy:ty, $extension:ty) => {
        #[allow(missing_docs, unreachable_pub, reason = "what the SDK's macro writes")]
        mod entry {
            use super::*;
            $crate::proxy_wasm::main! {{ $crate::start::<$policy, $extension>(); }}
        }
    };
}

/// Tells Envoy how to make the contexts of a filter.
pub fn start<P: Policy + 'static, E: Extension<P>>() {
    // This also installs the hook that logs the place of a panic, if there ever is one.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| root::Root::<P, E>::boxed());
}
