//! The `header-router` filter: picks a destination by what a request says.
//!
//! The policy and its decisions are [`narrows_core::router`]; what Envoy calls is
//! [`narrows_host`]. See the README beside this crate for the policy language.

pub use narrows_core::router::Router as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::filter!(Policy, (), request_trailers, response_headers);
