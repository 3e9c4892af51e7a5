//! `traffic-lanes`: carries the lane of a request that comes in to a workload to the calls that the workload
//! makes while it serves it.
//!
//! The two meet by the ids of their trace. On the way in, `id → lane` is remembered under every id that the
//! request has; on the way out, a call with one of these ids and without a lane gets its lane back. A lane
//! must not leak to a request that happens to share an id, so the absence of a lane is remembered too, and
//! an id that does not say one thing says nothing.

mod compile;
mod decide;
mod explain;
mod ids;
mod measure;
mod memory;
pub mod shard;
#[cfg(test)]
mod tests;

use crate::language::modes::{Mode, Trust};
use crate::matching::listed::Listed;
use crate::matching::request::Request;
use crate::policy::common::Common;
use ids::Sources;
pub use measure::Event;
use measure::SeriesIndices;
pub use memory::{Gathered, Memory};
pub use shard::{Cause, Found, Layout, Lifetime, Noted};

/// A compiled `traffic-lanes` policy.
#[derive(Clone, Debug)]
pub struct Lanes {
    common: Common,
    mode: Mode,
    trust: Trust,
    /// None for a policy that names no lane: then it carries none.
    lane: Option<Lane>,
    sources: Sources,
    layout: Layout,
    lifetime: Lifetime,
    series_indices: SeriesIndices,
}

/// `lane` of a policy: what a lane is.
#[derive(Clone, Debug)]
struct Lane {
    header: Box<str>,
    values: Vec<Listed>,
    max_length: usize,
}

/// What is remembered of a decision: a request that came in is noted in the proxy's memory, and again when
/// it has been served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is to be remembered.
    #[default]
    Aside,
    /// A request came in.
    CameIn {
        /// The ids of its trace, each once.
        ids: Vec<u64>,
        /// Its lane.
        lane: Option<Vec<u8>>,
    },
    /// A call went out.
    WentOut(Sent),
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The workload wrote its lane itself.
    Kept(Vec<u8>),
    /// It got its lane back, or in report mode would have.
    Restored(Vec<u8>),
    /// The request that it belongs to had no lane.
    Bare,
    /// Its ids do not say one thing.
    Mixed,
    /// It has no id that is known.
    Missing,
    /// No lane is remembered at all.
    Idle,
}

impl Lanes {
    /// Whether lanes are remembered and restored, and not only removed.
    pub fn remembers(&self) -> bool {
        self.lane.is_some() && self.trust == Trust::Mesh && self.common.needs.headers
    }

    /// The header that carries the lane; none if the policy names none.
    pub fn header(&self) -> Option<&str> {
        self.lane.as_ref().map(|lane| &*lane.header)
    }

    /// The ids of a request's trace, each once.
    pub fn ids(&self, request: &Request<'_>) -> Vec<u64> {
        self.sources.ids(request, self.header().unwrap_or_default().as_bytes())
    }

    /// How the memory of the proxy is divided.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How long it remembers.
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// The index of the series in which an event is counted.
    pub fn series(&self, event: Event) -> usize {
        self.series_indices.of(event)
    }
}

impl Lane {
    /// The index of the listed value that a lane is; none if it is no lane.
    fn listed(&self, value: &[u8]) -> Option<usize> {
        if value.is_empty() || value.len() > self.max_length {
            return None;
        }
        self.values.iter().position(|listed| listed.covers(value))
    }
}
