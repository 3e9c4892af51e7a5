//! # narrows-host
//!
//! The one adapter between a pure policy and Envoy. It is the only crate that declares Envoy's ABI, and
//! so the only place that can make a host call.
//!
//! Everything is read as bytes. Calls go through `read`, `apply`, `metric` or `shared`, in the phase in
//! which Envoy answers them.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod abi;
mod apply;
mod bundle;
#[doc(hidden)]
pub mod callbacks;
mod clock;
mod course;
mod extension;
mod lease;
mod loaded;
mod logger;
mod merged;
mod metric;
mod node;
mod read;
mod root;
mod shared;
mod stream;

use std::rc::Rc;

use extension::Extension;
use narrows_core::Policy;

#[doc(hidden)]
pub use abi::allocate;
#[doc(hidden)]
pub use bundle::root_of_bundle;
pub use callbacks::RootContext;
pub use extension::guarding::Watch;
pub use extension::measuring::Measuring;
pub use extension::outgoing::Seen;
pub use extension::remembering::Remembering;
#[doc(hidden)]
pub use logger::log_panics;

/// Makes a crate a filter for a policy. What the filter does beside deciding is `()` for nothing, or
/// [`Watch`], [`Measuring`], [`Seen`] or [`Remembering`]. After it are the callbacks that not every filter needs: see
/// [`export!`]. This is the module's entry point in Envoy.
#[macro_export]
macro_rules! filter {
    ($policy:ty, $extension:ty $(, $callback:ident)* $(,)?) => {
        #[cfg(target_family = "wasm")]
        fn root(_root_id: &[u8]) -> std::rc::Rc<dyn $crate::RootContext> {
            $crate::root::<$policy, $extension>()
        }
        $crate::export!(root $(, $callback)*);
    };
}

/// Makes a crate a module of all filters: the root id of a plugin says which one it is. This is the
/// module's entry point in Envoy.
#[macro_export]
macro_rules! bundle {
    () => {
        #[cfg(target_family = "wasm")]
        use $crate::root_of_bundle as root;
        $crate::export!(root, request_trailers, response_headers, log, call_response);
    };
}

/// Makes the root context of a filter.
pub fn root<P: Policy + 'static, E: Extension<P>>() -> Rc<dyn RootContext> {
    root::Root::<loaded::Loaded<P, E>>::context()
}
