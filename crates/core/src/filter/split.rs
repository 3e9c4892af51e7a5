//! `canary-split`: divides the traffic to a service into backends, exactly.
//!
//! The arithmetic is frozen (see [`bucket`] and [`slots`]): the same salt and key
//! give the same backend on every hop, worker, proxy and cluster, for ever.

mod anonymous;
pub mod bucket;
mod compile;
mod decide;
mod explain;
pub mod guard;
mod guarded;
mod istio;
mod judge;
mod key;
mod keyless;
mod measure;
pub mod ramp;
mod restore;
pub mod rollback;
mod served;
pub mod slots;
mod splitter;
#[cfg(test)]
mod tests;
mod timed;
mod verdict;
mod view;

pub use guarded::{Guarded, Wants};
pub use served::{Before, Served};
pub use splitter::Splitter;
pub use verdict::{Anonymous, Reason, Verdict};
pub use view::View;
