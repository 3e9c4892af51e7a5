//! Destinations that no rule names: noted by each worker, told by one of them.
//!
//! Every worker has a VM and a table of its own. On its tick it merges what is new into
//! a table that all of them share, by compare-and-swap. Whoever finds there that it is
//! time tells it in the log, and says so in the same swap: so there is one line, not
//! one for each worker.

use std::cell::RefCell;

use narrows_core::Unlisted;
use narrows_core::egress::learn::{Learning, Table};
use proxy_wasm::hostcalls;

use crate::{metric, read};

/// What this VM has seen since it last shared it.
#[derive(Debug, Default)]
pub(crate) struct Seen(RefCell<Table>);

/// How often a swap is tried before the next tick must do.
const TRIES: usize = 8;
/// No value has this version: a swap with it succeeds only if there is no value yet.
const NO_VERSION: u32 = u32::MAX;

impl Seen {
    pub(crate) fn note(&self, unlisted: &Unlisted<'_>, learning: &Learning) {
        self.0.borrow_mut().note(&unlisted.host, unlisted.method, read::now_millis(), learning);
    }

    /// Shares what is new, and tells it if it is time.
    pub(crate) fn share(&self, filter: &str, learning: &Learning) {
        let plugin = read::property(&["plugin_name"]).unwrap_or_default();
        let key = format!("narrows.learnt.{filter}.{}", String::from_utf8_lossy(&plugin));
        let new = self.0.take();
        for _ in 0..TRIES {
            let (text, version) = hostcalls::get_shared_data(&key).unwrap_or_default();
            let mut table = Table::decode(&text.unwrap_or_default(), learning);
            let taken = table.merge(&new, learning);
            let line = table.tell(read::now_millis(), learning);
            if new.is_empty() && line.is_none() {
                return;
            }
            let swapped =
                hostcalls::set_shared_data(&key, Some(&table.encode()), Some(version.unwrap_or(NO_VERSION)));
            if swapped.is_ok() {
                for (host, requests) in taken {
                    metric::add(&learning.series(&host), requests);
                }
                metric::set(&learning.hosts_series(), u64::try_from(table.hosts()).unwrap_or(u64::MAX));
                if let Some(line) = line {
                    log::warn!("{filter}: {line}");
                }
                return;
            }
        }
        // Others were quicker every time: keep it for the next tick.
        *self.0.borrow_mut() = new;
    }
}
