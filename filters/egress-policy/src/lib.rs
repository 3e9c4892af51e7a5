//! The `egress-policy` filter: says what may leave, and sees what tried to.
//!
//! The policy and its decisions are [`narrows_core::egress`]; what Envoy calls is
//! [`narrows_host`]. See the README beside this crate for the policy language.

pub use narrows_core::egress::Egress as Policy;

#[cfg(not(feature = "bundle"))]
narrows_host::filter!(Policy, narrows_host::Seen, request_trailers, response_headers);
