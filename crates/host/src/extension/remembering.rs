//! Lanes: what the workers of a proxy remember of the requests that come in, and recall for the calls that
//! go out.
//!
//! A request may come in on one worker and its calls go out on another, so the memory is in shared data. A
//! flag says whether any lane is remembered. Whoever remembers a lane raises it first, so that nobody who
//! finds it down could have found the lane. A worker that has seen it up does not read it again until its
//! tick; one that has not reads it for each request, which is one host call.

use std::cell::Cell;
use std::time::Duration;

use narrows_core::lanes::{Gathered, Lanes, Noted, Verdict, shard};
use narrows_core::{Policy, Recall, Request, Trail, limits};

use super::{Decided, Ended, Extension};
use crate::lease::{self, Plugin};
use crate::metric::Ids;
use crate::node::{Node, Side};
use crate::read;
use crate::shared::{self, Key};

/// How often the flag is read where it is up.
const TICK: Duration = Duration::from_millis(limits::GUARD_TICK);
/// Milliseconds by which the flag outlives what it is raised for: more than two ticks.
const MARGIN: u64 = 4_000;
/// Milliseconds from one line of the log to the next.
const QUIET: u64 = 60_000;

/// One worker's part of the memory.
pub struct Remembering {
    /// Until when lanes are remembered, in milliseconds since the epoch; empty if none is.
    flag: Key,
    /// When a line was last logged.
    logged: Key,
    /// Which no client knows, so that nobody can aim at a shard.
    secret: u64,
    /// Until when the flag is up, as far as this worker knows; 0 if it is not known to be up.
    up: Cell<u64>,
    /// Requests with a lane that this worker is serving.
    open: Cell<u64>,
    /// The side of the request that is being decided on.
    side: Cell<Side>,
}

impl Extension<Lanes> for Remembering {
    /// Whether the request was remembered: what was not ends nothing.
    type Kept = bool;

    fn load(policy: &Lanes, _ids: &Ids, _plugin: &Plugin) -> Self {
        let filter = Lanes::FILTER;
        if policy.remembers() {
            forget_others(policy.layout().shards());
        }
        let mut secret = shared::identity();
        Key::of_filter("lanes-secret", filter).update(&mut |known| {
            let known = known.first_chunk().copied().map(u64::from_le_bytes);
            secret = known.unwrap_or(secret);
            known.is_none().then(|| secret.to_le_bytes().to_vec())
        });
        Self {
            flag: Key::of_filter("lanes-up", filter),
            logged: Key::of_filter("lanes-logged", filter),
            secret,
            up: Cell::default(),
            open: Cell::default(),
            side: Cell::default(),
        }
    }

    fn period(&self, policy: &Lanes) -> Duration {
        if policy.remembers() { TICK } else { lease::RENEW }
    }

    /// Once a second: keeps the flag up while requests with a lane are being served, and hears whether it is
    /// still up.
    fn tick(&self, policy: &Lanes, _ids: &Ids) {
        if !policy.remembers() {
            return;
        }
        let now = read::now_millis();
        if self.open.get() > 0 {
            self.raise(policy, now);
        }
        self.up.set(0);
        self.flag.update(&mut |known| {
            let until = number(known);
            self.up.set(if until > now { until } else { 0 });
            // Requests then need not ask for the time.
            (!known.is_empty() && until <= now).then(Vec::new)
        });
    }

    /// A proxy with no workload beside it has nothing to remember. While no lane is remembered, a call has
    /// none to get back.
    fn skips(&self, policy: &Lanes, node: &Node, _authority: &dyn Fn() -> Vec<u8>) -> bool {
        if !policy.remembers() {
            return false;
        }
        let side = node.side();
        self.side.set(side);
        match side {
            Side::Neither => true,
            Side::In => false,
            Side::Out => !self.is_up(),
        }
    }

    fn trail(&self, policy: &Lanes, request: &Request<'_>, ids: &Ids) -> Trail {
        if !policy.remembers() {
            return Trail::Through;
        }
        match self.side.get() {
            Side::Neither => Trail::Through,
            Side::In => Trail::In,
            Side::Out => Trail::Out(self.recall(policy, &policy.ids(request), ids)),
        }
    }

    const MAY_COME_FIRST: bool = true;

    fn comes_first(&self, policy: &Lanes, node: &Node) -> bool {
        policy.remembers() && node.side() == Side::Out
    }

    fn decided(&self, policy: &Lanes, verdict: &Verdict, _decided: &Decided<'_, '_>, ids: &Ids) -> bool {
        let Verdict::CameIn { ids: traces, lane } = verdict else { return false };
        if traces.is_empty() || (lane.is_none() && !self.is_up()) {
            return false;
        }
        let now = read::now_millis();
        if lane.is_some() {
            self.open.set(self.open.get().saturating_add(1));
            // First the flag, then the lane.
            self.raise(policy, now);
        }
        let terms = (policy.layout(), policy.lifetime());
        for id in traces {
            let mut noted = Noted::default();
            self.change(policy, *id, &mut |bytes, id| {
                let (new, what) = shard::remember(bytes, id, lane.as_deref(), now, terms);
                noted = what;
                Some(new)
            });
            self.tell(noted, now, ids, policy);
        }
        true
    }

    fn ended(&self, policy: &Lanes, verdict: &Verdict, is_noted: bool, _ended: &Ended<'_>) {
        let Verdict::CameIn { ids: traces, lane } = verdict else { return };
        if !is_noted {
            return;
        }
        let now = read::now_millis();
        if lane.is_some() {
            self.open.set(self.open.get().saturating_sub(1));
            self.raise(policy, now);
        }
        for id in traces {
            self.change(policy, *id, &mut |bytes, id| shard::served(bytes, id, now, policy.lifetime()));
        }
    }
}

impl Remembering {
    /// Whether any lane is remembered.
    fn is_up(&self) -> bool {
        if self.up.get() == 0 {
            let until = number(&self.flag.get());
            if until > 0 && until > read::now_millis() {
                self.up.set(until);
            }
        }
        self.up.get() > 0
    }

    /// Raises the flag, unless it stays up for long enough. What is remembered now is forgotten after `ttl`,
    /// unless its request is still being served, and then the flag is raised again.
    fn raise(&self, policy: &Lanes, now: u64) {
        let ttl = policy.lifetime().ttl;
        let needed = now.saturating_add(ttl).saturating_add(MARGIN);
        if self.up.get() >= needed {
            return;
        }
        let until = needed.saturating_add(ttl);
        self.flag.update(&mut |known| {
            self.up.set(until.max(number(known)));
            (number(known) < until).then(|| until.to_le_bytes().to_vec())
        });
    }

    /// What the ids of a call say. The first that has a lane counts it as used.
    fn recall(&self, policy: &Lanes, traces: &[u64], ids: &Ids) -> Recall {
        if traces.is_empty() {
            return Recall::Unknown;
        }
        let (now, lifetime) = (read::now_millis(), policy.lifetime());
        let mut gathered = Gathered::default();
        let mut is_used = false;
        for id in traces {
            // Another worker may be quicker, and then this is done again.
            let before = gathered.clone();
            let mut noted = None;
            self.change(policy, *id, &mut |bytes, id| {
                gathered = before.clone();
                gathered.add(shard::recall(bytes, id, now, lifetime));
                let (new, what) = shard::used(bytes, id, now, lifetime).filter(|_| !is_used)?;
                noted = Some(what);
                Some(new)
            });
            is_used |= noted.is_some();
            self.tell(noted.unwrap_or_default(), now, ids, policy);
        }
        gathered.recall()
    }

    /// Changes the shard of an id, given the id as it is kept there.
    fn change(&self, policy: &Lanes, id: u64, change: &mut dyn FnMut(&[u8], u64) -> Option<Vec<u8>>) {
        let (shard, id) = policy.layout().place(id, self.secret);
        shard_key(shard).update(&mut |bytes| change(bytes, id));
    }

    /// Counts what became of an id, and now and then says why it has no lane any more.
    fn tell(&self, noted: Noted, now: u64, ids: &Ids, policy: &Lanes) {
        noted.events().for_each(|event| ids.add(policy.series(event), 1));
        let Some(cause) = noted.mixed else { return };
        let mut is_due = false;
        let is_written = self.logged.update(&mut |last| {
            is_due = now.abs_diff(number(last)) >= QUIET;
            is_due.then(|| now.to_le_bytes().to_vec())
        });
        if is_due && is_written {
            log::warn!("{}: {cause}", Lanes::FILTER);
        }
    }
}

/// Forgets what was remembered in another number of shards: an id stood elsewhere there, and what it has said since
/// would not be known if that number came back.
fn forget_others(shards: u64) {
    let mut before = shards;
    Key::of_filter("lanes-shards", Lanes::FILTER).update(&mut |known| {
        before = number(known);
        (before != shards).then(|| shards.to_le_bytes().to_vec())
    });
    // Another worker may have gone on with an older policy, and written there since that number was left.
    if before > 0 && before != shards {
        (0..before.max(shards)).for_each(|shard| shard_key(shard).clear());
    }
}

fn shard_key(shard: u64) -> Key {
    Key::of_filter("lanes", Lanes::FILTER).with(shard)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().copied().map_or(0, u64::from_le_bytes)
}
