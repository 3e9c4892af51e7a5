//! The `canary-split` filter: divides the traffic to a service into backends.
//!
//! The policy and its decisions are [`narrows_core::split`]; what Envoy calls is
//! [`narrows_host`]. See the README beside this crate for the policy language.

pub use narrows_core::split::Splitter as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::filter!(Policy, narrows_host::Watch, request_trailers, response_headers, log, call_response);
