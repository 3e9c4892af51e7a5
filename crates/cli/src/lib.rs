//! # narrows
//!
//! The command line of Narrows, as a library: the tests of the examples check their
//! manifests with the same code that `narrows lint` runs.
//!
//! What a policy means is the core's alone to say ([`narrows_core::Policy`]); here are
//! the files around it: where policies stand in them, what Istio knows, and how all of
//! that is told to people and machines.

mod chain;
pub mod code;
pub mod command;
pub mod diff;
pub mod explain;
pub mod filter;
pub mod finding;
pub mod learn;
pub mod lint;
pub mod manifest;
pub mod placement;
pub mod render;
pub mod report;
pub mod schema;
mod shown;
pub mod simulate;
pub mod source;
mod unverified;
pub mod usage;
pub mod wrap;
