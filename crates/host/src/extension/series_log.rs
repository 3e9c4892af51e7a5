//! The series log, which the workers of a proxy share: which values and series there are.
//!
//! Each worker has a VM of its own, and none of them knows how many VMs there are. If each kept a bound
//! for itself, the sum would be a multiple of the policy's bound, and a value that one worker has
//! dropped would be counted by another. So a new entry is appended to a log in Envoy's shared data, by
//! a worker that has read the log to its end. All workers apply it in the same order. The log outlives
//! VMs: a new module defines the series of the old one again before Envoy would forget them. Only new
//! entries touch the log.

use narrows_core::limits;
use narrows_core::tags::CardinalityLimit;

use crate::shared::Key;

/// Entries are lines: no value holds a control character.
const END: u8 = b'\n';
/// A place in the log of a filter. All plugins of a proxy share one log: Envoy keeps the series of
/// each, and an upgrade of Istio may give a plugin another name.
#[derive(Debug)]
pub(crate) struct SeriesLog {
    filter: &'static str,
    page: usize,
    key: Key,
    /// Bytes of the page that have been applied.
    offset: usize,
}

impl SeriesLog {
    /// The log of this filter, at its beginning.
    pub(crate) fn of(filter: &'static str) -> Self {
        Self { filter, page: 0, key: Self::key(filter, 0), offset: 0 }
    }

    /// Applies the entries of the log after this place.
    pub(crate) fn catch_up(&mut self, cardinality: &CardinalityLimit) {
        while self.page < limits::SERIES_LOG_PAGES {
            let page = self.key.get();
            apply(&page, &mut self.offset, cardinality);
            if !is_full(&page) {
                return;
            }
            self.turn();
        }
        self.close(cardinality);
    }

    /// Appends an entry, unless another worker has done so or there is no more room.
    pub(crate) fn append(&mut self, entry: &[u8], cardinality: &CardinalityLimit) {
        while self.page < limits::SERIES_LOG_PAGES {
            let (mut full, mut appended) = (false, false);
            let offset = &mut self.offset;
            let stands = self.key.update(&mut |page| {
                apply(page, offset, cardinality);
                full = is_full(page);
                appended = !full && cardinality.admits(entry);
                appended.then(|| [page, entry, &[END]].concat())
            });
            if stands && appended {
                cardinality.apply(entry);
                self.offset = self.offset.saturating_add(entry.len()).saturating_add(1);
            }
            if !full {
                return;
            }
            self.turn();
        }
        self.close(cardinality);
    }

    /// The last page is full. From now on nothing is asked: that would only read the page again.
    fn close(&self, cardinality: &CardinalityLimit) {
        if cardinality.close() {
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

/// Applies the entries of a page after `offset`, and moves `offset` to its end.
fn apply(page: &[u8], offset: &mut usize, cardinality: &CardinalityLimit) {
    for line in page.get(*offset..).unwrap_or_default().split_inclusive(|b| *b == END) {
        cardinality.apply(line.strip_suffix(&[END]).unwrap_or(line));
    }
    *offset = page.len().max(*offset);
}

fn is_full(page: &[u8]) -> bool {
    page.len() >= limits::SERIES_LOG_PAGE
}
