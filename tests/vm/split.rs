//! canary-split: its vectors, its VMs, its memory, its cost.

mod cost;
mod duration;
mod memory;
mod ramps;
mod rollback;
mod vectors;
mod vms;
