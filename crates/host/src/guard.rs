//! Guards: what the VMs of a proxy tell each other, and which of them asks.
//!
//! Every worker has a VM of its own, and so has the main thread. What one of them
//! learns about a backend goes into shared data at once; the others read it at their
//! next tick. A request costs nothing here but for the first that fails.

use std::cell::RefCell;
use std::time::Duration;

use narrows_core::split::guard::{self, Guards, Probe};
use proxy_wasm::hostcalls;

use crate::metric::Ids;
use crate::read;
use crate::shared::{self, Key};

/// How often the VMs hear from each other.
pub(crate) const TICK: Duration = Duration::from_millis(guard::TICK);
/// How long the one that probes may be silent before another takes over.
const LEASE_MILLIS: u64 = 3_000;
/// How long a backend may think about a probe.
const PATIENCE_MILLIS: u64 = 5_000;

/// One plugin's part of what its VMs share.
pub(crate) struct Watch {
    known: Key,
    /// Who probes: its identity, and when it said so last.
    lease: Key,
    own: u64,
    /// Probes under way, by token.
    asked: RefCell<Vec<(u32, usize)>>,
}

impl Watch {
    /// Plugins of one name may probe different clusters, each in a listener of its own,
    /// and the root context of an older policy lives on while its listener drains: only
    /// those that probe the same have one lease.
    pub(crate) fn of(filter: &str, guards: &Guards) -> Self {
        Self {
            known: Key::of("guard", filter),
            lease: Key::of("probe", filter).with(guards.probes()),
            own: shared::identity(),
            asked: RefCell::default(),
        }
    }

    /// Hears what the other VMs have learnt.
    pub(crate) fn hear(&self, guards: &Guards, ids: &Ids) {
        ids.measure_all(guards.hear(&self.known.get(), read::now_millis()));
    }

    /// Tells the other VMs what this one has learnt.
    pub(crate) fn tell(&self, guards: &Guards) {
        if self.known.update(&mut |known| Some(guards.tell(known, read::now_millis()))) {
            guards.told();
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

    /// A probe was answered, or given up: then there are no headers, and whoever asks
    /// for one is answered with a status on which the SDK panics.
    pub(crate) fn answered(&self, token: u32, has_headers: bool, guards: &Guards, ids: &Ids) {
        let mut asked = self.asked.borrow_mut();
        let Some(at) = asked.iter().position(|(known, _)| *known == token) else { return };
        let (_, place) = asked.swap_remove(at);
        drop(asked);
        let status = has_headers.then(read::call_status).flatten();
        // Whoever answers is there, unless it says that it cannot.
        let is_there = matches!(status.as_deref(), Some([b'1'..=b'4', ..]));
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
        let mut leads = false;
        let written = self.lease.update(&mut |lease| {
            let (holder, renewed) = held(lease);
            leads = holder == self.own || now.abs_diff(renewed) >= LEASE_MILLIS;
            leads.then(|| [self.own.to_le_bytes(), now.to_le_bytes()].concat())
        });
        leads && written
    }

    /// Lets another VM probe from now on.
    pub(crate) fn release(&self) {
        self.lease.update(&mut |lease| (held(lease).0 == self.own).then(Vec::new));
    }
}

/// Who holds the lease, and when it was renewed.
fn held(lease: &[u8]) -> (u64, u64) {
    let mut words = lease.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(*word.first_chunk()?)));
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}
