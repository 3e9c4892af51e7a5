//! The `metric-tags` filter: counts requests by labels that an operator chooses.
//!
//! The policy and its bounds are [`narrows_core::tags`]; what Envoy calls is
//! [`narrows_host`]. See the README beside this crate for the policy language.

pub use narrows_core::tags::Tagger as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::filter!(Policy, narrows_host::Measuring, request_trailers, response_headers, log);
