//! The log that the workers of a proxy share: which values and series there are.
//!
//! Each worker has a VM of its own, and none of them knows how many there are; a bound
//! that each kept for itself would be a multiple of what the policy says, and a value
//! that one has dropped would be counted by another. So what is new is appended to a
//! log in Envoy's shared data, by a worker that has read it to its end; all of them
//! learn it in the same order. It outlives VMs: a new module defines again what the old
//! one had, before Envoy would forget it. Only what is new touches it.

use narrows_core::limits;
use narrows_core::tags::Meter;
use proxy_wasm::hostcalls;

use crate::read;

/// How often an entry that another worker has overtaken is tried again.
const ATTEMPTS: usize = 16;
/// Entries are lines: no value holds a control character.
const END: u8 = b'\n';
/// A version that no value has: whoever writes with it creates the key, or fails.
const ABSENT: u32 = u32::MAX;

/// A place in the log of one plugin.
#[derive(Debug)]
pub(crate) struct Ledger {
    filter: &'static str,
    prefix: String,
    page: usize,
    /// Bytes of the page that have been learnt.
    offset: usize,
}

impl Ledger {
    /// The log of this plugin, at its beginning.
    pub(crate) fn of(filter: &'static str) -> Self {
        let plugin = read::property(&["plugin_name"]).unwrap_or_default();
        let prefix = format!("narrows.ledger.{filter}.{}.", String::from_utf8_lossy(&plugin));
        Self { filter, prefix, page: 0, offset: 0 }
    }

    /// Learns what the log says beyond this place.
    pub(crate) fn catch_up(&mut self, meter: &Meter) {
        while self.page < limits::LEDGER_PAGES {
            let (page, _) = self.read();
            self.learn(&page, meter);
            if !is_full(&page) {
                return;
            }
            self.turn();
        }
        self.close(meter);
    }

    /// Appends an entry, unless some worker has done so or there is no more room.
    pub(crate) fn append(&mut self, entry: &[u8], meter: &Meter) {
        for _ in 0..ATTEMPTS {
            if self.page >= limits::LEDGER_PAGES {
                self.close(meter);
                return;
            }
            let (mut page, version) = self.read();
            self.learn(&page, meter);
            if is_full(&page) {
                self.turn();
                continue;
            }
            if !meter.admits(entry) {
                return;
            }
            page.extend_from_slice(entry);
            page.push(END);
            if hostcalls::set_shared_data(&self.key(), Some(&page), version.or(Some(ABSENT))).is_ok() {
                self.learn(&page, meter);
                return;
            }
        }
    }

    /// The last page is full: to ask for more would only read it again.
    fn close(&self, meter: &Meter) {
        if meter.close() {
            log::warn!(
                "{}: the log of series is full; what is new is counted as other, or with overflow=\"true\"",
                self.filter
            );
        }
    }

    fn learn(&mut self, page: &[u8], meter: &Meter) {
        for line in page.get(self.offset..).unwrap_or_default().split_inclusive(|b| *b == END) {
            meter.learn(line.strip_suffix(&[END]).unwrap_or(line));
        }
        self.offset = page.len().max(self.offset);
    }

    fn read(&self) -> (Vec<u8>, Option<u32>) {
        let (page, version) = hostcalls::get_shared_data(&self.key()).unwrap_or_default();
        (page.unwrap_or_default(), version)
    }

    fn turn(&mut self) {
        self.page = self.page.saturating_add(1);
        self.offset = 0;
    }

    fn key(&self) -> String {
        format!("{}{}", self.prefix, self.page)
    }
}

fn is_full(page: &[u8]) -> bool {
    page.len() >= limits::LEDGER_PAGE
}
