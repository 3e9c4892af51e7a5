//! The time by which weights are decided. Inside a proxy it never runs back.

use std::cell::Cell;

use crate::read;
use crate::shared::Key;

/// A clock that all VMs of a proxy share: the proxy's, or the latest second that any of them has seen,
/// also before it was set back, or before this VM was made.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The latest second that any VM has seen.
    latest: Key,
    /// The second that this VM read last, and the one that it was given for it.
    read: Cell<u64>,
    given: Cell<u64>,
}

impl Clock {
    pub(crate) fn of(filter: &str) -> Self {
        Self { latest: Key::of_filter("clock", filter), read: Cell::default(), given: Cell::default() }
    }

    /// Seconds since the epoch. The VMs are asked once for each second: what they have seen before the
    /// clock was set back does not grow afterwards.
    pub(crate) fn now(&self) -> u64 {
        let read = read::now_nanos() / 1_000_000_000;
        if read != self.read.get() {
            let mut now = read.max(self.given.get());
            self.latest.update(&mut |shared| {
                let known = shared.first_chunk().copied().map_or(0, u64::from_le_bytes);
                now = now.max(known);
                (now > known).then(|| now.to_le_bytes().to_vec())
            });
            self.read.set(read);
            self.given.set(now);
        }
        self.given.get()
    }
}
