//! A compiled policy: its splits, and what each is made of.

use std::cell::Cell;

use super::anonymous::AnonymousId;
use super::guard::Guards;
use super::key::Key;
use super::ramp::Ramp;
use super::rollback::rolling::Rolling;
use super::slots::Slots;
use crate::action::destination::Destination;
use crate::action::edit::HeaderEdits;
use crate::language::modes::Mode;
use crate::matching::hosts::HostSet;
use crate::matching::index::Index;
use crate::matching::matches::Match;
use crate::policy::common::Common;

/// A compiled `canary-split` policy.
#[derive(Clone, Debug)]
pub struct Splitter {
    pub(super) common: Common,
    pub(super) route_header: Box<str>,
    pub(super) splits: Vec<Split>,
    pub(super) split_matches: Vec<SplitMatch>,
    pub(super) index: Index,
    /// The hosts of all splits; `None` if some split is for any host.
    pub(super) hosts: Option<HostSet>,
    /// The hosts that a rewritten request asks for, where the policy restores the
    /// original ones instead of splitting.
    pub(super) inbound: Option<Vec<Box<str>>>,
    /// The hosts that a rewritten request asks for, where a client's `x-forwarded-host` is not believed.
    pub(super) own_hosts: Vec<Box<str>>,
    /// Whether a condition asks for a host, which a request may not name.
    pub(super) asks_for_hosts: bool,
    pub(super) guards: Guards,
    /// Whether `:authority` alone is read first: most requests concern no split.
    pub(super) authority_first: bool,
}

/// One way for a request to belong to a split.
#[derive(Clone, Debug)]
pub(super) struct SplitMatch {
    pub(super) split: usize,
    pub(super) matches: Match,
}

/// A split: whose traffic it divides, by what, into what.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) name: Box<str>,
    pub(super) mode: Mode,
    pub(super) salt: Box<[u8]>,
    pub(super) keys: Vec<Key>,
    pub(super) missing: Missing,
    /// The ids that it gives to browsers without a key.
    pub(super) anonymous: Option<Box<AnonymousId>>,
    /// With the most that each ramp ever gives.
    pub(super) slots: Slots,
    pub(super) backends: Vec<Backend>,
    pub(super) baseline: usize,
    pub(super) override_by: Option<Override>,
    pub(super) include: Vec<(Vec<Match>, usize)>,
    pub(super) exclude: Vec<Vec<Match>>,
    /// What is judged of its canaries; nothing where the split does not act.
    pub(super) rollback: Option<Box<Rolling>>,
    /// Whether a `location` that names the authority of a backend gets the caller's.
    pub(super) rewrites_location: bool,
    /// The cluster that served the baseline last, as a hash; 0 before.
    pub(super) seen: Cell<u64>,
    /// The index of this split's first series.
    pub(super) series: usize,
}

/// One part of a split.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pub(super) name: Box<str>,
    pub(super) to: Option<Destination>,
    /// The cluster that is expected to serve it, if the policy names one.
    pub(super) cluster: Option<Box<[u8]>>,
    /// The cluster that was seen to have addresses of its own, as a hash; 0 before.
    pub(super) addressed: Cell<u64>,
    pub(super) request: HeaderEdits,
    pub(super) response: HeaderEdits,
    /// Its weight over time, where it has no fixed one.
    pub(super) ramp: Option<Ramp>,
    /// The index of its guard.
    pub(super) guard: Option<usize>,
    /// The index of its first series.
    pub(super) series: usize,
}

/// What becomes of a request without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is sent to this backend.
    Backend(usize),
    /// It is divided by weight, at random.
    Random,
}

/// A header by which a trusted caller chooses.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) header: Box<str>,
    pub(super) always: Box<[u8]>,
    pub(super) never: Box<[u8]>,
    /// The backend that `always` chooses, if there is one.
    pub(super) backend: Option<usize>,
    /// Further values, each with its backend.
    pub(super) values: Vec<(Box<[u8]>, usize)>,
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
