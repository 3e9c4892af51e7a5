//! Guards: what the VMs of a proxy share, and which of them sends the probes.
//!
//! Every worker has a VM of its own, and so has the main thread. What one of them finds out about a
//! backend goes into shared data at once; the others read it at their next tick. Only the first request
//! that fails costs anything here.

use std::cell::RefCell;
use std::time::Duration;

use narrows_core::limits;
use narrows_core::set_cookie::SetCookie;
use narrows_core::split::guard::{Guards, Probe};
use narrows_core::split::rollback::Watched;
use narrows_core::split::{Before, Guarded, Served};
use narrows_core::{sanitize, state};

use super::rolling::Rolling;
use super::{Decided, Ended, Extension};
use crate::abi;
use crate::apply;
use crate::clock::Clock;
use crate::lease::{self, Plugin};
use crate::metric::Ids;
use crate::node::Node;
use crate::read;
use crate::shared::{self, Key};

/// How often the VMs read what the others have published.
const TICK: Duration = Duration::from_millis(limits::GUARD_TICK);
/// How long the probing VM may be silent before another one takes over.
const LEASE_MILLIS: u64 = 3_000;
/// How long a backend may take to answer a probe.
const PATIENCE_MILLIS: u64 = 5_000;

/// One plugin's part of the data that its VMs share.
pub struct Watch {
    known: Key,
    /// The VM that probes: its identity, and the time of its last renewal.
    lease: Key,
    own: u64,
    /// The time of ramps.
    clock: Clock,
    /// What is judged.
    rolling: Rolling,
    /// Probes under way, by token.
    asked: RefCell<Vec<(u32, usize)>>,
}

/// What is kept of a request that is measured.
#[derive(Default)]
pub struct Kept {
    /// When it was decided on, in microseconds since the epoch.
    started: u64,
    /// What a rollback judges.
    watched: Option<Box<Watched>>,
}

impl<P: Guarded + 'static> Extension<P> for Watch {
    type Kept = Kept;

    fn load(policy: &P, ids: &Ids, _plugin: &Plugin) -> Self {
        let guards = policy.guards();
        let clock = Clock::of(P::FILTER);
        let rolling = Rolling::load(policy, ids, &clock);
        let watch = Self::new(P::FILTER, guards, clock, rolling);
        watch.merge(guards, ids);
        ids.measure_all(guards.gauges());
        watch.show_weights(policy, ids);
        watch
    }

    fn period(&self, policy: &P) -> Duration {
        let is_idle = policy.guards().is_empty() && !policy.common().needs.now && self.rolling.is_empty();
        if is_idle { lease::RENEW } else { TICK }
    }

    /// Once a second: publishes and merges, and sends probes if it is this VM's turn.
    fn tick(&self, policy: &P, ids: &Ids) {
        let guards = policy.guards();
        if guards.is_dirty() {
            self.publish(guards);
        }
        self.merge(guards, ids);
        self.rolling.tick(policy, ids, &self.clock);
        self.show_weights(policy, ids);
        if guards.has_probes() && self.leads() {
            for (index, probe) in guards.due(read::now_millis()) {
                self.ask(index, probe, guards, ids);
            }
        }
    }

    fn skips(&self, policy: &P, _node: &Node, authority: &dyn Fn() -> Vec<u8>) -> bool {
        policy.asks_authority_first() && !policy.concerns(&authority())
    }

    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn decided(&self, policy: &P, verdict: &P::Verdict, decided: &Decided<'_, '_>, ids: &Ids) -> Self::Kept {
        if policy.wants(verdict).is_none() {
            return Kept::default();
        }
        let started = read::now_micros();
        let watched = policy.watches(verdict, decided.request, &|| started);
        watched.iter().flat_map(|watched| &watched.open).for_each(|series| ids.step(*series, true));
        Kept { started, watched }
    }

    fn responds(&self, policy: &P, kept: &mut Self::Kept) {
        if let Some(watched) = &mut kept.watched {
            watched.responds(policy.splitter(), &read::now_micros);
        }
    }

    fn wants_before(&self, policy: &P, verdict: &P::Verdict) -> bool {
        policy.wants(verdict).is_some_and(|wants| wants.before)
    }

    fn ended(&self, policy: &P, verdict: &P::Verdict, kept: Self::Kept, ended: &Ended<'_>) {
        let Some(wants) = policy.wants(verdict) else { return };
        let cluster = if wants.cluster { read::cluster() } else { Vec::new() };
        let before = ended.before.map(|cluster| Before { cluster, ..Before::default() });
        let code = u16::try_from(read::number(&["response", "code"])).unwrap_or_default();
        let now = read::now_micros();
        let mut served = Served {
            code,
            cluster: &cluster,
            duration: now.saturating_sub(kept.started) / 1_000,
            flags: if policy.asks_flags(verdict, code) { read::number(&["response", "flags"]) } else { 0 },
            now: now / 1_000,
            grpc: None,
            attempts: 0,
            by_upstream: wants.upstream && read::by_upstream(),
            before,
            at_dialled: None,
        };
        if let Some(watched) = kept.watched {
            judge(policy, &watched, &mut served, now, ended.ids);
        }
        if policy.asks_address(verdict, &served) {
            served.at_dialled = read::at_dialled();
        }
        let taken_by;
        if policy.is_suspect(verdict, &served)
            && let Some(before) = &mut served.before
        {
            taken_by = read::property(&["xds", "virtual_host_name"]).unwrap_or_default();
            before.taken_by = &taken_by;
            before.is_forged = sanitize::was_removed(read::property(&[sanitize::PROVENANCE]).as_deref());
            before.is_rewritten = read::property(&[state::RULE]).is_some();
        }
        ended.ids.measure_all(policy.served(verdict, &served));
        if policy.guards().is_dirty() {
            self.publish(policy.guards());
        }
    }

    fn give(&self, cookie: &SetCookie<'_>, ids: &Ids) {
        apply::give(cookie, ids);
    }

    /// If a callout was given up, there is no status to read.
    fn answered(&self, policy: &P, ids: &Ids, token: u32, has_headers: bool) {
        let mut asked = self.asked.borrow_mut();
        let Some(at) = asked.iter().position(|(known, _)| *known == token) else { return };
        let (_, index) = asked.swap_remove(at);
        drop(asked);
        let status = has_headers.then(read::call_status).flatten();
        // A backend that answers is there, unless its answer is that it cannot serve.
        let is_there = matches!(status.as_deref(), Some([b'1'..=b'4', ..]));
        self.probed(index, is_there, policy.guards(), ids);
    }

    /// Lets another VM probe from now on. The next policy may have no ramp, and then nobody shows its
    /// weight; one that has shows it within a second.
    fn release(&self, policy: &P, ids: &Ids) {
        self.lease.update(&mut |lease| (held(lease).0 == self.own).then(Vec::new));
        self.rolling.release(policy, ids);
        if policy.common().needs.now {
            ids.measure_all(policy.weights(0));
        }
    }
}

impl Watch {
    /// Plugins of one name may probe different clusters, each in a listener of its own. And the root
    /// context of an older policy lives on while its listener drains. So only plugins that probe the
    /// same clusters share a lease.
    fn new(filter: &str, guards: &Guards, clock: Clock, rolling: Rolling) -> Self {
        Self {
            known: Key::of("guard", filter),
            lease: Key::of("probe", filter).with(guards.probes()),
            own: shared::identity(),
            clock,
            rolling,
            asked: RefCell::default(),
        }
    }

    /// Merges what the other VMs have published.
    fn merge(&self, guards: &Guards, ids: &Ids) {
        ids.measure_all(guards.merge(&self.known.get(), read::now_millis()));
    }

    /// Shows how many buckets each ramp has now.
    fn show_weights<P: Guarded>(&self, policy: &P, ids: &Ids) {
        if policy.common().needs.now {
            ids.measure_all(policy.weights(self.clock.now()));
        }
    }

    /// Publishes what this VM has found.
    fn publish(&self, guards: &Guards) {
        if self.known.update(&mut |known| Some(guards.publish(known, read::now_millis()))) {
            guards.published();
        }
    }

    fn ask(&self, index: usize, probe: &Probe, guards: &Guards, ids: &Ids) {
        let host = probe.cluster.rsplit('|').next().unwrap_or_default();
        let headers =
            [(":method", "GET"), (":path", &*probe.path), (":authority", host), (":scheme", "http")]
                .map(|(name, value)| (name, value.as_bytes()));
        let patience = u32::try_from(probe.every.min(PATIENCE_MILLIS)).unwrap_or(u32::MAX);
        match abi::call(&probe.cluster, &headers, patience) {
            Some(token) => self.asked.borrow_mut().push((token, index)),
            // The cluster does not exist, or has no host: that is known at once, without traffic.
            None => self.probed(index, false, guards, ids),
        }
    }

    fn probed(&self, index: usize, is_there: bool, guards: &Guards, ids: &Ids) {
        ids.measure_all(guards.probed(index, is_there, read::now_millis()));
        if guards.is_dirty() {
            self.publish(guards);
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
}

/// Says what a request that is judged has come to at a microsecond.
#[inline(never)]
fn judge<P: Guarded>(policy: &P, watched: &Watched, served: &mut Served<'_>, now: u64, ids: &Ids) {
    let number = |path: &[&str]| Some(u64::from_le_bytes(*read::property(path)?.first_chunk()?));
    if watched.asks_status() {
        served.grpc = number(&["response", "grpc_status"]);
    }
    if watched.asks_attempts(policy.splitter()) {
        served.attempts = number(&["upstream", "request_attempt_count"]).unwrap_or_default();
    }
    watched.open.iter().for_each(|series| ids.step(*series, false));
    watched.ends(policy.splitter(), served, &|| now);
}

/// Who holds the lease, and when it was renewed.
fn held(lease: &[u8]) -> (u64, u64) {
    let mut words = lease.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(*word.first_chunk()?)));
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}
