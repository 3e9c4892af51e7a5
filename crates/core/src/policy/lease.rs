//! Which plugins of a filter a proxy runs, and which of them have a bad policy.
//!
//! A bad policy must be refused if a good one is in force, and must not be refused if there is none.
//! The operator must see it for as long as it is bad. Envoy asks in VMs that know nothing: in a VM that
//! it throws away, and in the VMs of an exchanged module. So the root contexts of a proxy keep a
//! register in shared data. The register does not use a clock. Numbers are given out in order, and show
//! what is older. A root context that is gone without notice is found by the others: they count while
//! it is silent.

mod bytes;
mod register;
mod watcher;

#[cfg(test)]
mod tests;

pub use register::{Judgement, Register, Root};
pub use watcher::Watcher;
