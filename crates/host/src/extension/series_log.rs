//! The log that the workers of a proxy share: which values and series there are.
//!
//! Each worker has a VM of its own, and none of them knows how many there are; a bound
//! that each kept for itself would be a multiple of what the policy says, and a value
//! that one has dropped would be counted by another. So what is new is appended to a
//! log in Envoy's shared data, by a worker that has read it to its end; all of them
//! learn it in the same order. It outlives VMs: a new module defines again what the old
//! one had, before Envoy would forget it. Only what is new touches it.

use narrows_core::limits;
use narrows_core::tags::CardinalityLimit;

use crate::shared::Key;

/// Entries are lines: no value holds a control character.
const END: u8 = b'\n';
/// A place in the log of a filter. It is one for all plugins of a proxy: Envoy keeps the
/// series of each, and an upgrade of Istio may call a plugin by another name.
#[derive(Debug)]
pub(crate) struct SeriesLog {
    filter: &'static str,
    page: usize,
    key: Key,
    /// Bytes of the page that have been learnt.
    offset: usize,
}

impl SeriesLog {
    /// The log of this filter, at its beginning.
    pub(crate) fn of(filter: &'static str) -> Self {
        Self { filter, page: 0, key: Self::key(filter, 0), offset: 0 }
    }

    /// Learns what the log says beyond this place.
    pub(crate) fn catch_up(&mut self, meter: &CardinalityLimit) {
        while self.page < limits::LEDGER_PAGES {
            let page = self.key.get();
            learn(&page, &mut self.offset, meter);
            if !is_full(&page) {
                return;
            }
            self.turn();
        }
        self.close(meter);
    }

    /// Appends an entry, unless some worker has done so or there is no more room.
    pub(crate) fn append(&mut self, entry: &[u8], meter: &CardinalityLimit) {
        while self.page < limits::LEDGER_PAGES {
            let (mut full, mut appended) = (false, false);
            let offset = &mut self.offset;
            let stands = self.key.update(&mut |page| {
                learn(page, offset, meter);
                full = is_full(page);
                appended = !full && meter.admits(entry);
                appended.then(|| [page, entry, &[END]].concat())
            });
            if stands && appended {
                meter.learn(entry);
                self.offset = self.offset.saturating_add(entry.len()).saturating_add(1);
            }
            if !full {
                return;
            }
            self.turn();
        }
        self.close(meter);
    }

    /// The last page is full: to ask for more would only read it again.
    fn close(&self, meter: &CardinalityLimit) {
        if meter.close() {
            log::warn!(
                "{}: the log of series is full; what is new is counted as other, or with overflow=\"true\"",
                self.filter
            );
        }
    }

    fn turn(&mut self) {
        self.page = self.page.saturating_add(1);
        self.key = Self::key(self.filter, self.page);
        self.offset = 0;
    }

    fn key(filter: &str, page: usize) -> Key {
        Key::of_filter("ledger", filter).with(u64::try_from(page).unwrap_or(u64::MAX))
    }
}

/// Learns what a page says beyond `offset`, and moves it there.
fn learn(page: &[u8], offset: &mut usize, meter: &CardinalityLimit) {
    for line in page.get(*offset..).unwrap_or_default().split_inclusive(|b| *b == END) {
        meter.learn(line.strip_suffix(&[END]).unwrap_or(line));
    }
    *offset = page.len().max(*offset);
}

fn is_full(page: &[u8]) -> bool {
    page.len() >= limits::LEDGER_PAGE
}
