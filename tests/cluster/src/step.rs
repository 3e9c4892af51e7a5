//! Progress: a line for each step, with its time.

use std::io::Write;
use std::time::{Duration, Instant};

/// Does one step; says what it is before it, and how long it took after it.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    print!("  {what:<58}");
    // Only a terminal that is gone refuses it.
    _ = std::io::stdout().flush();
    let outcome = work();
    let verdict = if outcome.is_ok() { "" } else { "  failed" };
    println!(" {:>8}{verdict}", seconds(start.elapsed()));
    outcome
}

/// A time for people.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}
