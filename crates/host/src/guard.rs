//! Guards: what the VMs of a proxy tell each other, and which of them asks.
//!
//! Every worker has a VM of its own, and so has the main thread. What one of them
//! learns about a backend goes into shared data at once; the others read it at their
//! next tick. A request costs nothing here but for the first that fails.

use std::cell::RefCell;
use std::time::Duration;

use narrows_core::split::bucket;
use narrows_core::split::guard::{self, Guards, Probe};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MapType;

use crate::metric::Ids;
use crate::read;

/// How often the VMs hear from each other.
pub(crate) const TICK: Duration = Duration::from_millis(guard::TICK);
/// How long the one that probes may be silent before another takes over.
const LEASE_MILLIS: u64 = 3_000;
/// How long a backend may think about a probe.
const PATIENCE_MILLIS: u64 = 5_000;
/// Another VM may write at the same time: then again, but not for ever.
const ATTEMPTS: usize = 8;
/// On a key that does not exist any version creates it, and a second VM is refused.
const NO_VERSION: u32 = u32::MAX;

/// One plugin's part of what its VMs share.
pub(crate) struct Watch {
    known: String,
    lease: String,
    own: u64,
    /// Probes under way, by token.
    asked: RefCell<Vec<(u32, usize)>>,
}

impl Watch {
    /// Shared data is one space for all plugins of a proxy, so the keys say whose they are.
    pub(crate) fn of(filter: &str) -> Self {
        let plugin = read::property(&["plugin_name"]).unwrap_or_default();
        let plugin = String::from_utf8_lossy(&plugin);
        Self {
            known: ["narrows.guard.", filter, ".", &plugin].concat(),
            lease: ["narrows.probe.", filter, ".", &plugin].concat(),
            own: bucket::hash(plugin.as_bytes(), &read::now_nanos().to_le_bytes()),
            asked: RefCell::default(),
        }
    }

    /// Hears what the other VMs have learnt.
    pub(crate) fn hear(&self, guards: &Guards, ids: &Ids) {
        let (known, _) = shared(&self.known);
        ids.measure_all(guards.hear(&known, read::now_millis()));
    }

    /// Tells the other VMs what this one has learnt.
    pub(crate) fn tell(&self, guards: &Guards) {
        for _ in 0..ATTEMPTS {
            let (known, version) = shared(&self.known);
            let merged = guards.tell(&known, read::now_millis());
            if set(&self.known, &merged, version) {
                return guards.told();
            }
        }
    }

    /// Once a second: hears, tells, and asks if it is this VM's turn.
    pub(crate) fn tick(&self, guards: &Guards, ids: &Ids) {
        if guards.has_news() {
            self.tell(guards);
        }
        self.hear(guards, ids);
        if guards.has_probes() && self.leads() {
            for (place, probe) in guards.due(read::now_millis()) {
                self.ask(place, probe, guards, ids);
            }
        }
    }

    /// A probe was answered, or given up.
    pub(crate) fn answered(&self, token: u32, guards: &Guards, ids: &Ids) {
        let mut asked = self.asked.borrow_mut();
        let Some(at) = asked.iter().position(|(known, _)| *known == token) else { return };
        let (_, place) = asked.swap_remove(at);
        drop(asked);
        let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status");
        // Whoever answers is there, unless it says that it cannot.
        let is_there = matches!(status.ok().flatten().as_deref(), Some([b'1'..=b'4', ..]));
        self.learn(place, is_there, guards, ids);
    }

    fn ask(&self, place: usize, probe: &Probe, guards: &Guards, ids: &Ids) {
        let host = probe.cluster.rsplit('|').next().unwrap_or_default();
        let headers =
            vec![(":method", "GET"), (":path", &*probe.path), (":authority", host), (":scheme", "http")];
        let patience = Duration::from_millis(probe.every.min(PATIENCE_MILLIS));
        match hostcalls::dispatch_http_call(&probe.cluster, headers, None, Vec::new(), patience) {
            Ok(token) => self.asked.borrow_mut().push((token, place)),
            // There is no such cluster, or no host in it: known at once, without traffic.
            Err(_) => self.learn(place, false, guards, ids),
        }
    }

    fn learn(&self, place: usize, is_there: bool, guards: &Guards, ids: &Ids) {
        ids.measure_all(guards.probed(place, is_there, read::now_millis()));
        if guards.has_news() {
            self.tell(guards);
        }
    }

    /// Whether this VM is the one that probes.
    fn leads(&self) -> bool {
        let now = read::now_millis();
        let (lease, version) = shared(&self.lease);
        let mut words =
            lease.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(*word.first_chunk()?)));
        let (holder, renewed) = (words.next().unwrap_or(self.own), words.next().unwrap_or(0));
        if holder != self.own && now.abs_diff(renewed) < LEASE_MILLIS {
            return false;
        }
        set(&self.lease, &[self.own.to_le_bytes(), now.to_le_bytes()].concat(), version)
    }
}

fn shared(key: &str) -> (Vec<u8>, u32) {
    let (value, version) = hostcalls::get_shared_data(key).unwrap_or_default();
    (value.unwrap_or_default(), version.unwrap_or(NO_VERSION))
}

fn set(key: &str, value: &[u8], version: u32) -> bool {
    hostcalls::set_shared_data(key, Some(value), Some(version)).is_ok()
}
