//! canary-split on a real Envoy.

mod books;
mod cost;
mod guard;
mod memory;
mod probe;
mod route;
mod steady;
mod trap;
mod vectors;
mod vms;
