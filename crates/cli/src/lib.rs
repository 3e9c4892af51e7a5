//! # narrows
//!
//! The command line of Narrows, as a library: the tests of the examples check their
//! manifests with the same code that `narrows lint` runs.
//!
//! The core gives a policy its meaning ([`narrows_core::Policy`]). This crate reads the files
//! around policies, knows what Istio does with them, and reports to people and programs.
//!
//! The modules are in layers; `tests/architecture.py` lists them, the lowest first.

pub mod clap_error;
pub mod code;
pub mod command;
pub mod diff;
pub mod documents;
pub mod edit;
pub mod error;
mod escape;
pub mod explain;
pub mod files;
pub mod filter;
pub mod finding;
pub mod istio;
mod kubernetes;
pub mod learn;
pub mod lint;
mod meant;
pub mod migrate;
pub mod pack;
pub mod placement;
pub mod registry;
pub mod render;
pub mod report;
pub mod schema;
pub mod screen;
pub mod settings;
pub mod simulate;
pub mod source;
pub mod templates;
pub mod write;
