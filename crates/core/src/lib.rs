//! # narrows-core
//!
//! The pure part of Narrows: a policy is compiled into types that cannot be wrong,
//! and then decides on borrowed requests. There is no host here, no clock, no
//! randomness, no I/O and no logging; the same function runs in Envoy, in
//! `narrows simulate`, in the tests and in the fuzzers.
//!
//! ```
//! use narrows_core::{Policy, Request, Tree, router::Router};
//!
//! let policy = Tree::parse(br#"{
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

mod budget;
pub mod catalog;
mod decision;
pub mod destination;
mod edit;
pub mod egress;
pub mod extraction;
mod index;
mod invalid;
pub mod lease;
pub mod limits;
mod matcher;
pub mod names;
mod order;
mod policy;
mod read;
pub mod request;
pub mod router;
mod series;
pub mod split;
pub mod strip;
pub mod tags;
mod template;
mod text;
mod tree;
pub mod vm;

pub use budget::Weight;
pub use decision::{Before, CODE_CLASSES, Decision, Missing, Reply, Served, Unlisted};
pub use edit::Edit;
pub use invalid::{Code, Fault, Invalid, Place, Step};
pub use matcher::Match;
pub use policy::{Measurement, Mode, Needs, Policy, RouteAsk, Trust};
pub use request::Request;
pub use series::{Grammar, Kind, Series};
pub use template::Template;
pub use tree::Tree;
