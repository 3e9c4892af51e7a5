//! Which plugins of a filter a proxy runs, and whose policy is a bad one.
//!
//! A bad policy must be refused if a good one is in force, and must not be if there is
//! none; and somebody must be told for as long as it is bad. Envoy asks in VMs that
//! know nothing: in one that it throws away, and in those of an exchanged module. So the
//! root contexts of a proxy keep a register in shared data. There is no clock in it: what
//! is older follows from numbers that are given out in order, and who is gone without a
//! word from what others count while it is silent.

mod bytes;
mod register;
mod watcher;

#[cfg(test)]
mod tests;

pub use register::{Judgement, Register, Root};
pub use watcher::Watcher;
