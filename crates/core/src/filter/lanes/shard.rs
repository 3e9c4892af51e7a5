//! The memory of a proxy: which ids belong to which lane.
//!
//! It is a table of a fixed number of places, in shards that are read and written whole. A shard has few
//! places, so that each costs little; and nobody can choose into which shard an id falls, because the ids
//! are hashed with a secret of the proxy first. Everything here is a function from the bytes of one shard to
//! new bytes: a host keeps them where all its workers find them.

mod entry;
#[cfg(test)]
mod tests;

use std::fmt;

use super::measure::Event;
use crate::order::hash_of;
use entry::{Entry, Kind};

/// Places of a shard at most. Each costs some forty bytes to be read.
const PLACES: usize = 32;
/// How far back the clock may be set before what was remembered is forgotten: workers read it at different
/// moments, and a clock is corrected by less than this.
const SLACK: u64 = 2_000;

/// How the memory is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// A power of two.
    shards: u64,
    places: usize,
}

/// How long an id is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Milliseconds after its last request has been served.
    pub ttl: u64,
}

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'s> {
    /// It is not known.
    Unknown,
    /// Requests without a lane came in with it.
    Bare,
    /// Requests that had not all the same lane came in with it.
    Mixed,
    /// Requests of this lane came in with it.
    Lane(&'s [u8]),
}

/// What became of an id when a request came in with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Whether another id was forgotten for it before its time, or it found no place itself.
    pub evicted: bool,
    /// Why it says nothing from now on, although it did before.
    pub mixed: Option<Cause>,
}

/// Why an id says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Requests with this lane, and requests without one, have it.
    Shared(Vec<u8>),
    /// Requests with either lane have it.
    Conflict(Vec<u8>, Vec<u8>),
    /// More requests and calls of this lane than one trace has.
    Spent(Vec<u8>),
}

impl Noted {
    /// What is counted for it.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        let evicted = self.evicted.then_some(Event::Evicted);
        let mixed = self.mixed.as_ref().map(|cause| match cause {
            Cause::Conflict(..) => Event::Conflict,
            Cause::Shared(_) | Cause::Spent(_) => Event::Shared,
        });
        evicted.into_iter().chain(mixed)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |lane: &[u8]| String::from_utf8_lossy(lane).into_owned();
        let (lane, what) = match self {
            Self::Shared(lane) => (lane, "a request without a lane has the same trace id".to_owned()),
            Self::Conflict(lane, other) => {
                (lane, format!("a request of lane {:?} has the same trace id", show(other)))
            }
            Self::Spent(lane) => (lane, format!("{USES} requests and calls have the same trace id")),
        };
        write!(
            f,
            "a trace id of lane {:?} carries no lane until it expires: {what}; look for a background job or a tracer \
             that gives one id to unrelated requests, or a service in the chain without this filter",
            show(lane)
        )
    }
}

impl Layout {
    /// The layout that has room for at most `most` ids.
    pub fn of(most: usize) -> Self {
        let most = most.max(1);
        let shards = most.div_ceil(PLACES).checked_next_power_of_two().unwrap_or(1);
        let places = most.checked_div(shards).unwrap_or(1).max(1);
        Self { shards: u64::try_from(shards).unwrap_or(1), places }
    }

    /// How many shards there are.
    pub fn shards(self) -> u64 {
        self.shards
    }

    /// Places in all shards.
    pub fn places(self) -> u64 {
        self.shards.saturating_mul(u64::try_from(self.places).unwrap_or(u64::MAX))
    }

    /// The shard of an id, and the id as it is kept there. `secret` is the proxy's.
    pub fn place(self, id: u64, secret: u64) -> (u64, u64) {
        let id = hash_of(&secret.to_le_bytes(), &id.to_le_bytes());
        (id & self.shards.saturating_sub(1), id)
    }
}

impl Lifetime {
    /// Milliseconds after which a lane is forgotten, however often its id was seen since.
    pub fn most_age(self) -> u64 {
        self.ttl.saturating_mul(10)
    }
}

/// How many requests and calls one id may have a lane for.
pub const USES: u16 = 1_000;

/// Notes that a request came in with an id: `lane` is its lane.
pub fn remember(
    bytes: &[u8],
    id: u64,
    lane: Option<&[u8]>,
    now: u64,
    (layout, lifetime): (Layout, Lifetime),
) -> (Vec<u8>, Noted) {
    let mut entries = alive(bytes, now, lifetime);
    let mut noted = Noted::default();
    let until = now.saturating_add(lifetime.ttl);
    if let Some(known) = entries.iter_mut().find(|entry| entry.id == id) {
        noted.mixed = known.meets(lane);
        // A lane grows old from its beginning; what says nothing may go on for as long as it is used.
        if !matches!(known.kind, Kind::Lane(_)) {
            known.born = now;
        }
        known.until = known.until.max(until);
        known.open = known.open.saturating_add(1);
        return (entry::write(&entries), noted);
    }
    let kind = lane.map_or(Kind::Bare, Kind::Lane);
    let new = Entry { id, born: now, until, open: 1, uses: 0, kind };
    if entries.len() < layout.places {
        entries.push(new);
    } else if let Some(place) = entries.iter_mut().min_by_key(|entry| entry.worth()) {
        noted.evicted = true;
        // What has no lane never takes the place of a lane.
        if lane.is_some() || place.kind == Kind::Bare {
            *place = new;
        }
    }
    entries.truncate(layout.places);
    (entry::write(&entries), noted)
}

/// Notes that a request that came in with an id has been served. None if the id is not known any more.
pub fn served(bytes: &[u8], id: u64, now: u64, lifetime: Lifetime) -> Option<Vec<u8>> {
    let mut entries = alive(bytes, now, lifetime);
    let known = entries.iter_mut().find(|entry| entry.id == id)?;
    known.open = known.open.saturating_sub(1);
    known.until = known.until.max(now.saturating_add(lifetime.ttl));
    Some(entry::write(&entries))
}

/// What an id says.
pub fn recall(bytes: &[u8], id: u64, now: u64, lifetime: Lifetime) -> Found<'_> {
    let found = entry::all(bytes).find(|entry| entry.id == id && entry.is_alive(now, lifetime));
    match found.map(|entry| entry.kind) {
        None => Found::Unknown,
        Some(Kind::Bare) => Found::Bare,
        Some(Kind::Mixed) => Found::Mixed,
        Some(Kind::Lane(lane)) => Found::Lane(lane),
    }
}

/// Counts a call that an id has a lane for. None if it has none.
pub fn used(bytes: &[u8], id: u64, now: u64, lifetime: Lifetime) -> Option<(Vec<u8>, Noted)> {
    let mut entries = alive(bytes, now, lifetime);
    let known = entries.iter_mut().find(|entry| entry.id == id)?;
    let Kind::Lane(_) = known.kind else { return None };
    let noted = Noted { mixed: known.is_used(), ..Noted::default() };
    Some((entry::write(&entries), noted))
}

fn alive(bytes: &[u8], now: u64, lifetime: Lifetime) -> Vec<Entry<'_>> {
    entry::all(bytes).filter(|entry| entry.is_alive(now, lifetime)).collect()
}

impl<'s> Entry<'s> {
    /// Whether it is still remembered: as long as a request of its id is being served and for a while after,
    /// but never longer than [`Lifetime::most_age`].
    fn is_alive(&self, now: u64, lifetime: Lifetime) -> bool {
        self.born <= now.saturating_add(SLACK)
            && now < self.born.saturating_add(lifetime.most_age())
            && (self.open > 0 || now < self.until)
    }

    /// A request comes in with its id. Returns why it says nothing from now on.
    fn meets(&mut self, lane: Option<&'s [u8]>) -> Option<Cause> {
        let cause = match (self.kind, lane) {
            (Kind::Mixed, _) | (Kind::Bare, None) => return None,
            (Kind::Lane(known), Some(lane)) if known == lane => return self.is_used(),
            (Kind::Lane(known), Some(lane)) => Cause::Conflict(known.to_vec(), lane.to_vec()),
            (Kind::Lane(lane), None) | (Kind::Bare, Some(lane)) => Cause::Shared(lane.to_vec()),
        };
        self.kind = Kind::Mixed;
        Some(cause)
    }

    /// Its lane is used once more.
    fn is_used(&mut self) -> Option<Cause> {
        let Kind::Lane(lane) = self.kind else { return None };
        self.uses = self.uses.saturating_add(1);
        if self.uses < USES {
            return None;
        }
        self.kind = Kind::Mixed;
        Some(Cause::Spent(lane.to_vec()))
    }

    /// The entry that is worth least is forgotten first: one without a lane, then one whose requests have been
    /// served, then the one that would be forgotten next.
    fn worth(&self) -> (bool, bool, u64) {
        (self.kind != Kind::Bare, self.open > 0, self.until)
    }
}
