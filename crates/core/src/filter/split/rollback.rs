//! The rollback: a canary whose users fail more often than the baseline's is switched off, in this
//! proxy, with no controller.
//!
//! If a canary has a tenth of the users, it should have a tenth of the users who meet an error. Each
//! failing user counts once, and the question is whose they are: so errors that both sides share cancel,
//! however many there are. The test may be looked at every second. Its bound is in `score`; what it
//! cannot see is in the README of `canary-split`.

mod bytes;
mod health;
mod judge;
mod latency;
mod open;
mod outcome;
mod record;
mod ring;
mod roll;
pub(super) mod rolling;
mod rule;
mod score;
mod shared;
mod side;
mod tally;
#[cfg(test)]
mod tests;
mod timing;
mod users;
mod watch;

use crate::matching::budget;

pub use health::Health;
pub use judge::{Judge, Tick};
pub use latency::Latencies;
pub(super) use roll::ROLLED_BACK;
pub use roll::{Roll, Ticked};
pub(super) use rolling::Rolling;
pub use rolling::Watched;
pub(crate) use rule::ROLLBACK;
pub use rule::Rule;
pub use side::{COUNT, Side};
pub use watch::{Class, Finding, Judged};

/// The bytes that a rollback takes, of a split and of each of its backends: what is counted, and the
/// requests that are open.
const WEIGHT: usize = 6 << 10;
/// The series of a canary.
pub(super) const SERIES: usize = 6;

/// The bytes that the rollback of a split takes.
pub(super) fn weight(split: &str, backends: usize) -> usize {
    let series = SERIES.saturating_mul(budget::SERIES.saturating_add(split.len()));
    backends.saturating_add(1).saturating_mul(WEIGHT.saturating_add(series))
}
