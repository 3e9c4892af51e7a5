//! The `traffic-lanes` filter: carries the lane of a request that comes in to the calls that are made for it.
//!
//! The policy and its decisions are [`narrows_core::lanes`]; what Envoy calls is
//! [`narrows_host`]. See the README beside this crate for the policy language.

pub use narrows_core::lanes::Lanes as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::filter!(Policy, narrows_host::Remembering, request_trailers, response_headers, log);
