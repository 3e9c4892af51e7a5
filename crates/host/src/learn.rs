//! Destinations that no rule names: noted by each worker, told by one of them.
//!
//! Every worker has a VM and a table of its own. On its tick it merges what is new into
//! a table that all of them share, by compare-and-swap. Whoever finds there that it is
//! time tells it in the log, and says so in the same swap: so there is one line, not
//! one for each worker.

use std::cell::RefCell;

use narrows_core::Unlisted;
use narrows_core::egress::learn::{Learning, Table};

use crate::shared::Key;
use crate::{metric, read};

/// What this VM has seen since it last shared it.
#[derive(Debug, Default)]
pub(crate) struct Seen(RefCell<Table>);

impl Seen {
    pub(crate) fn note(&self, unlisted: &Unlisted<'_>, learning: &Learning) {
        self.0.borrow_mut().note(&unlisted.host, unlisted.method, read::now_millis(), learning);
    }

    /// Shares what is new, and tells it if it is time.
    pub(crate) fn share(&self, filter: &str, learning: &Learning) {
        let new = self.0.take();
        let mut shared = None;
        let written = Key::of("learnt", filter).update(&mut |text| {
            let mut table = Table::decode(text, learning);
            let before = table.dropped();
            let taken = table.merge(&new, learning);
            let line = table.tell(read::now_millis(), learning);
            let changed = !new.is_empty() || line.is_some();
            let text = changed.then(|| table.encode());
            let dropped = table.dropped().saturating_sub(before);
            shared = changed.then(|| (table.hosts(), taken, dropped, line));
            text
        });
        if !written {
            // Others were quicker every time: keep it for the next tick.
            *self.0.borrow_mut() = new;
            return;
        }
        let Some((hosts, taken, dropped, line)) = shared else { return };
        for (host, requests) in taken {
            metric::add(&learning.series(&host), requests);
        }
        metric::set(&learning.hosts_series(), u64::try_from(hosts).unwrap_or(u64::MAX));
        if dropped > 0 {
            metric::add(&learning.dropped_series(), dropped);
        }
        if let Some(line) = line {
            log::warn!("{filter}: {line}");
        }
    }
}
