//! # narrows-core
//!
//! The pure part of Narrows. A policy is compiled into types that cannot be wrong, and then decides on
//! borrowed requests. This crate has no host, no clock, no randomness, no I/O and no logging. The same
//! function runs in Envoy, in `narrows simulate`, in the tests and in the fuzzers.
//!
//! ```
//! use narrows_core::{Policy, Request, PolicyValue, router::Router};
//!
//! let policy = PolicyValue::parse(br#"{
//!   "rules": [{ "name": "beta",
//!               "matches": [{ "headers": { "x-user-group": { "exact": "beta" } } }],
//!               "route": { "to": "reviews-v2" } }]
//! }"#)?;
//! let router = Router::compile(&policy)?;
//! let headers: [(&[u8], &[u8]); 3] = [
//!     (b":path", b"/reviews"),
//!     (b":authority", b"shop.example.com"),
//!     (b"x-user-group", b"beta"),
//! ];
//! let (decision, _) = router.decide(Request::new(headers));
//! assert_eq!(decision.request.len(), 1); // sets x-narrows-route: reviews-v2
//! # Ok::<(), narrows_core::Invalid>(())
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]
// Some items are used only by the texts of descriptions. Without descriptions they are unused.
#![cfg_attr(
    not(any(test, feature = "describe")),
    allow(unused_imports, reason = "held by every build with the feature")
)]

// The modules, from the lowest layer to the highest. Each may use only those above it in this list; a
// test checks that.
mod action;
pub mod filter;
mod language;
mod matching;
mod order;
mod policy;
pub mod stats_tags;
mod wire;

pub use action::edit::Edit;
pub use action::{destination, sanitize, set_cookie};
pub use filter::split::{Before, Served};
pub use filter::{egress, lanes, merged, router, split, tags};
pub use language::invalid::{Code, Fault, FieldPath, Invalid, PathSegment};
pub use language::modes::{Mode, Trust};
pub use language::path_template::PathTemplate;
pub use language::policy_value::PolicyValue;
pub use language::{describe, limits, moment, names, nearest};
pub use matching::budget::{Parts, Weight};
pub use matching::matches::Match;
#[cfg(any(test, feature = "describe"))]
pub use matching::pattern::values::{Form, has_value};
pub use matching::request::{Known, Passage, Peer, Recall, Recalled, Request, StreamInfo, Trail};
pub use order::hash_of;
pub use policy::code_class::CODE_CLASSES;
pub use policy::common::Common;
pub use policy::decision::{Decision, Reply, Unlisted};
pub use policy::digest::policy_digest;
pub use policy::needs::Needs;
pub use policy::outcome::Outcome;
pub use policy::part::Part;
pub use policy::record::Record;
pub use policy::series::{Kind, LabelEncoding, Measurement, Series};
#[cfg(any(test, feature = "describe"))]
pub use policy::signals;
pub use policy::{Policy, lease, state, vm_config};
pub use wire::{FieldValue, Host, inline_headers, location};
