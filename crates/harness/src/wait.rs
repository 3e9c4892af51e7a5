//! Bounded waiting: nothing here sleeps longer than it was told to.

use std::time::{Duration, Instant};

/// Asks again every few milliseconds until there is an answer.
///
/// `what` names what is waited for and goes into the error when `limit` has
/// passed. An error of `poll` ends the wait at once.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut poll: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(answer) = poll()? {
            return Ok(answer);
        }
        anyhow::ensure!(
            start.elapsed() < limit,
            "waited {} ms for {what}: it did not happen",
            limit.as_millis()
        );
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
