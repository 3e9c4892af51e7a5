//! How far a command is, on a terminal.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// A line on the standard error that counts. Without a terminal there is none.
pub(super) struct Progress {
    what: &'static str,
    shows: bool,
    count: u64,
    next: Instant,
    drawn: bool,
}

/// Whoever waits for less needs no count.
const EVERY: Duration = Duration::from_millis(500);
/// The clock is not asked at every step.
const STRIDE: u64 = 1024;

impl Progress {
    pub(super) fn new(what: &'static str, shows: bool) -> Self {
        Self { what, shows, count: 0, next: Instant::now() + EVERY, drawn: false }
    }

    pub(super) fn step(&mut self) {
        self.count += 1;
        if self.shows && self.count.is_multiple_of(STRIDE) && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.drawn = true;
            // Whether anybody sees it changes nothing.
            _ = write!(std::io::stderr(), "\r{} {}", self.count, self.what);
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.drawn {
            _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
