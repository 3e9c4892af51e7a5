//! What changes when one policy replaces another: which users move, which requests are decided
//! otherwise, which hosts, series and rules are new or gone.
//!
//! Which users move is exact, because the arithmetic is: a policy gives every one of a million buckets to
//! one backend, so two policies can be compared bucket by bucket.

mod alike;
mod chosen;
mod hosts;
mod named;
mod notes;
mod order;
mod owner;
mod requests;
mod rollback;
mod rules;
mod series;
mod sides;
mod splits;
#[cfg(test)]
mod tests;

pub use chosen::{is_choice, may_lose, only_splits_differ, part};
pub use hosts::{HostDiff, hosts};
pub use notes::notes;
pub use order::crossed;
pub use requests::{Changed, Decided, Transition};
pub use rollback::rollbacks;
pub use rules::rules;
pub use series::{SeriesDiff, series};
pub use splits::{KeyMove, Move, MoveKind, Redrawn, SplitDiff, splits, word};
