//! The three ways to run a case file: in the core ([`native`]), in the `.wasm` under the stand-in
//! for Envoy ([`vm`]) and in the `.wasm` under a real Envoy ([`envoy`]).

mod caller;
pub mod envoy;
mod filter;
mod metadata;
pub mod native;
pub mod series;
mod shifted;
pub mod vm;
mod written_state;

pub use filter::Filter;
pub use narrows_model::{Observed, Pure, Reply, Seen, disagreements, obeyed};
pub use shifted::shifted;
pub use written_state::{STATE, with_state};

/// Every case file; `only` keeps those whose path contains it.
pub fn files(only: Option<&str>) -> anyhow::Result<Vec<narrows_cases::File>> {
    narrows_cases::files(&narrows_harness::workspace(), only)
}
