//! canary-split on a real Envoy.

mod books;
mod guard;
mod memory;
mod probe;
mod steady;
mod trap;
mod vectors;
mod vms;
