//! The times that all VMs of a proxy share: the one by which weights are decided, which never runs back, and
//! the one by which a rollback judges, which does not stand still either.

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
        let read = seconds();
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

/// Seconds that go on while a clock that was set back has not caught up: such a step counts as one second.
#[derive(Debug)]
pub(crate) struct Pace(Key);

impl Pace {
    pub(crate) fn of(filter: &str) -> Self {
        Self(Key::of_filter("pace", filter))
    }

    /// Seconds since the epoch, and those by which the clock was set back. Asked once a second.
    pub(crate) fn now(&self) -> u64 {
        let mut now = 0;
        self.0.update(&mut |shared| {
            // Anew in each attempt: what was read before another VM saw the clock set back would count as a leap.
            let read = seconds();
            now = read;
            let known = shared.split_first_chunk().zip(shared.last_chunk());
            let Some(((last, _), counted)) = known else { return Some(pair(read, read)) };
            let (last, counted) = (u64::from_le_bytes(*last), u64::from_le_bytes(*counted));
            // Another VM may have looked a moment later than this one.
            let passed = if read.saturating_add(1) < last { 1 } else { read.saturating_sub(last) };
            now = counted.saturating_add(passed);
            (passed > 0).then(|| pair(read, now))
        });
        now
    }
}

fn pair(read: u64, counted: u64) -> Vec<u8> {
    [read.to_le_bytes(), counted.to_le_bytes()].concat()
}

fn seconds() -> u64 {
    read::now_nanos() / 1_000_000_000
}
