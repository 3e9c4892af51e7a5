//! `canary-split`: divides the traffic to a service into backends, exactly.
//!
//! The arithmetic is frozen (see [`bucket`] and [`slots`]): the same salt and key
//! give the same backend on every hop, worker, proxy and cluster, for ever.

mod anonymous;
pub mod bucket;
mod compile;
mod decide;
mod explain;
pub mod guard;
mod guarded;
mod istio;
mod judge;
mod key;
mod measure;
pub mod ramp;
mod restore;
pub mod rollback;
mod served;
pub mod slots;
#[cfg(test)]
mod tests;
mod timed;
mod view;

use std::cell::Cell;

use crate::action::destination::Destination;
use crate::action::edit::HeaderEdits;
use crate::language::modes::Mode;
use crate::matching::hosts::HostSet;
use crate::matching::index::Index;
use crate::matching::matches::Match;
use crate::policy::common::Common;
use anonymous::AnonymousId;
use guard::Guards;
use key::Key;
use ramp::Ramp;
use rollback::Rolling;
use slots::Slots;

pub use anonymous::Anonymous;
pub use guarded::{Guarded, Wants};
pub use served::{Before, Served};
pub use view::View;

/// A compiled `canary-split` policy.
#[derive(Clone, Debug)]
pub struct Splitter {
    common: Common,
    route_header: Box<str>,
    splits: Vec<Split>,
    split_matches: Vec<SplitMatch>,
    index: Index,
    /// The hosts of all splits; `None` if some split is for any host.
    hosts: Option<HostSet>,
    /// The hosts that a rewritten request asks for, where the policy restores the
    /// original ones instead of splitting.
    inbound: Option<Vec<Box<str>>>,
    /// Whether a condition asks for a host, which a request may not name.
    asks_for_hosts: bool,
    guards: Guards,
    /// Whether `:authority` alone is read first: most requests concern no split.
    authority_first: bool,
}

/// One way for a request to belong to a split.
#[derive(Clone, Debug)]
struct SplitMatch {
    split: usize,
    matches: Match,
}

/// A split: whose traffic it divides, by what, into what.
#[derive(Clone, Debug)]
struct Split {
    name: Box<str>,
    mode: Mode,
    salt: Box<[u8]>,
    keys: Vec<Key>,
    missing: Missing,
    /// The ids that it gives to browsers without a key.
    anonymous: Option<Box<AnonymousId>>,
    /// With the most that each ramp ever gives.
    slots: Slots,
    backends: Vec<Backend>,
    baseline: usize,
    override_by: Option<Override>,
    include: Vec<(Vec<Match>, usize)>,
    exclude: Vec<Vec<Match>>,
    /// What is judged of its canaries; nothing where the split does not act.
    rollback: Option<Box<Rolling>>,
    /// Whether a `location` that names the authority of a backend gets the caller's.
    rewrites_location: bool,
    /// The cluster that served the baseline last, as a hash; 0 before.
    seen: Cell<u64>,
    /// The index of this split's first series.
    series: usize,
}

/// One part of a split.
#[derive(Clone, Debug)]
struct Backend {
    name: Box<str>,
    to: Option<Destination>,
    /// The cluster that is expected to serve it, if the policy names one.
    cluster: Option<Box<[u8]>>,
    /// The cluster that was seen to have addresses of its own, as a hash; 0 before.
    addressed: Cell<u64>,
    request: HeaderEdits,
    response: HeaderEdits,
    /// Its weight over time, where it has no fixed one.
    ramp: Option<Ramp>,
    /// The index of its guard.
    guard: Option<usize>,
    /// The index of its first series.
    series: usize,
}

/// What becomes of a request without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// It is sent to this backend.
    Backend(usize),
    /// It is divided by weight, at random.
    Random,
}

/// A header by which a trusted caller chooses.
#[derive(Clone, Debug)]
struct Override {
    header: Box<str>,
    always: Box<[u8]>,
    never: Box<[u8]>,
    /// The backend that `always` chooses, if there is one.
    backend: Option<usize>,
    /// Further values, each with its backend.
    values: Vec<(Box<[u8]>, usize)>,
}

/// What is remembered of a request until its end: which split divided it, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The split, by its index.
    pub split: usize,
    /// The backend, by its index in the split.
    pub backend: usize,
    /// Why.
    pub reason: Reason,
    /// The bucket, if the key or chance decided.
    pub bucket: Option<u32>,
    /// The key source that gave the key, by its index.
    pub key: Option<usize>,
    /// What was done about an id that it does not have.
    pub anonymous: Option<Anonymous>,
    /// The backend that is switched off, if that is why the baseline serves.
    pub instead_of: Option<usize>,
    /// Half of the key's hash, if the key decided: it tells users apart without saying who they are.
    pub fingerprint: u32,
    /// Whether the request tries a backend that was switched off.
    pub is_try: bool,
    /// The port that its backend is guarded by: the caller's, or 0 if it wrote none.
    pub port: u16,
    /// Whether it asks for a tunnel, which most proxies have no route for.
    pub is_connect: bool,
}

/// Why a request went to its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A trusted caller chose.
    Override,
    /// The request is excluded.
    Exclude,
    /// The request is included.
    Include,
    /// By key and weight.
    Weight,
    /// It has no key.
    MissingKey,
    /// It has no key and chance decided.
    Random,
    /// By the id that it gets because it has no key.
    NewId,
    /// The backend that it would go to is switched off.
    Guard,
    /// The backend that it would go to is worse than the baseline.
    Rollback,
    /// It names no host, and the policy asks for one.
    MissingHost,
    /// What the backend's destination quotes is none of the values that the policy lists.
    UnlistedValue,
}

impl Reason {
    /// The word in the explain record and in `simulate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Exclude => "exclude",
            Self::Include => "include",
            Self::Weight => "weight",
            Self::MissingKey => "missing-key",
            Self::Random => "random",
            Self::NewId => "new-id",
            Self::Guard => "guard",
            Self::Rollback => "rollback",
            Self::MissingHost => "missing-host",
            Self::UnlistedValue => "unlisted-value",
        }
    }
}

impl Splitter {
    /// The name of a split by its index.
    pub fn split(&self, index: usize) -> Option<&str> {
        self.splits.get(index).map(|split| &*split.name)
    }

    /// The name of a split's backend by their indices.
    pub fn backend(&self, split: usize, backend: usize) -> Option<&str> {
        self.splits.get(split)?.backends.get(backend).map(|backend| &*backend.name)
    }

    /// Which buckets the backends of a split own, and may ever own by their ramps. The baseline owns the
    /// others.
    pub fn slots(&self, split: usize) -> Option<&Slots> {
        self.splits.get(split).map(|split| &split.slots)
    }
}
