//! Whether this proxy is serving a good policy of a plugin already.
//!
//! A bad policy must be refused if Envoy has an older one to keep, and must not be
//! refused if it has none, for then Envoy answers 500 to everything. Envoy asks a
//! canary VM first, which has just been made and remembers nothing. What outlives a
//! VM is shared data: so every root context that serves a good policy renews a
//! timestamp there, and takes it back when it is removed. A VM that ends without
//! being asked leaves a timestamp that soon is old.

use std::cell::RefCell;
use std::time::Duration;

use proxy_wasm::hostcalls;

use crate::read;

/// How often a lease is renewed.
pub(crate) const RENEW: Duration = Duration::from_secs(5);
/// How long a lease holds: three missed renewals.
const HOLDS_MILLIS: u64 = 20_000;

thread_local! {
    /// The leases held in this VM, by key: a plugin's new root context is made
    /// before its old one is removed.
    static HELD: RefCell<Vec<String>> = RefCell::default();
}

/// The name under which a plugin's life is recorded.
#[derive(Debug)]
pub(crate) struct Lease {
    key: String,
    held: bool,
}

impl Lease {
    /// The lease of this plugin. Shared data is one space for all plugins of a proxy,
    /// so the key says whose it is.
    pub(crate) fn of(filter: &str) -> Self {
        let plugin = read::property(&["plugin_name"]).unwrap_or_default();
        let key = format!("narrows.live.{filter}.{}", String::from_utf8_lossy(&plugin));
        Self { key, held: false }
    }

    /// Whether some VM of this proxy serves a good policy of this plugin.
    pub(crate) fn is_live(&self) -> bool {
        let value = hostcalls::get_shared_data(&self.key).ok().and_then(|(value, _)| value);
        let renewed = value.as_deref().and_then(<[u8]>::first_chunk).copied().map_or(0, u64::from_le_bytes);
        renewed > 0 && read::now_millis().saturating_sub(renewed) < HOLDS_MILLIS
    }

    /// Says so for this VM.
    pub(crate) fn renew(&mut self) {
        if !self.held {
            self.held = true;
            HELD.with_borrow_mut(|held| held.push(self.key.clone()));
        }
        _ = hostcalls::set_shared_data(&self.key, Some(&read::now_millis().to_le_bytes()), None);
    }

    /// Takes it back, unless this VM has a newer root context of the plugin.
    pub(crate) fn release(&mut self) {
        if !std::mem::take(&mut self.held) {
            return;
        }
        let still_held = HELD.with_borrow_mut(|held| {
            if let Some(own) = held.iter().position(|key| *key == self.key) {
                held.swap_remove(own);
            }
            held.contains(&self.key)
        });
        if !still_held {
            _ = hostcalls::set_shared_data(&self.key, Some(&0u64.to_le_bytes()), None);
        }
    }
}
