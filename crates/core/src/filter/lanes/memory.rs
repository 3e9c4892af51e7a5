//! What several ids say together, and a memory for tools, which have no proxy.

use std::collections::BTreeMap;

use super::shard::{self, Found, Noted};
use super::{Lanes, Verdict};
use crate::matching::request::Recall;

/// What the ids of a call say, one after the other.
///
/// An id that says nothing leaves it to the others: a tracer may give one trace to many requests whose
/// `x-request-id` still tells them apart. Ids that contradict each other say nothing together.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    said: Said,
    /// Whether one of them says nothing.
    is_mixed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Bare,
    Lane(Vec<u8>),
    /// One contradicts another.
    Several,
}

impl Gathered {
    /// One more id.
    pub fn add(&mut self, found: Found<'_>) {
        let agrees = match (&self.said, found) {
            (_, Found::Unknown) => return,
            (_, Found::Mixed) => return self.is_mixed = true,
            (Said::Nothing, Found::Bare) => return self.said = Said::Bare,
            (Said::Nothing, Found::Lane(lane)) => return self.said = Said::Lane(lane.to_vec()),
            (Said::Bare, Found::Bare) => true,
            (Said::Lane(known), Found::Lane(lane)) => known == lane,
            _ => false,
        };
        if !agrees {
            self.said = Said::Several;
        }
    }

    /// What they say together.
    pub fn recall(self) -> Recall {
        match self.said {
            Said::Lane(lane) => Recall::Lane(lane),
            Said::Bare => Recall::Bare,
            Said::Several => Recall::Mixed,
            Said::Nothing if self.is_mixed => Recall::Mixed,
            Said::Nothing => Recall::Unknown,
        }
    }
}

/// The memory of a proxy that serves one request after the other.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    shards: BTreeMap<u64, Vec<u8>>,
    has_lanes: bool,
}

impl Memory {
    /// A request comes in, on which this was decided. Returns what became of its ids.
    pub fn comes_in(&mut self, lanes: &Lanes, verdict: &Verdict, now: u64) -> Vec<Noted> {
        let Verdict::CameIn { ids, lane } = verdict else { return Vec::new() };
        self.has_lanes |= lane.is_some() && !ids.is_empty();
        // Without a lane nothing is kept while no lane is.
        if !self.has_lanes {
            return Vec::new();
        }
        let terms = (lanes.layout(), lanes.lifetime());
        let note = |id: &u64| {
            let (shard, id) = lanes.layout().place(*id, 0);
            let bytes = self.shards.entry(shard).or_default();
            let (new, noted) = shard::remember(bytes, id, lane.as_deref(), now, terms);
            *bytes = new;
            noted
        };
        ids.iter().map(note).collect()
    }

    /// It has been served.
    pub fn is_served(&mut self, lanes: &Lanes, verdict: &Verdict, now: u64) {
        let Verdict::CameIn { ids, .. } = verdict else { return };
        for id in ids {
            let (shard, id) = lanes.layout().place(*id, 0);
            let bytes = self.shards.entry(shard).or_default();
            if let Some(new) = shard::served(bytes, id, now, lanes.lifetime()) {
                *bytes = new;
            }
        }
    }

    /// What the ids of a call say.
    pub fn recall(&self, lanes: &Lanes, ids: &[u64], now: u64) -> Recall {
        if !self.has_lanes {
            return Recall::Idle;
        }
        let mut gathered = Gathered::default();
        for id in ids {
            let (shard, id) = lanes.layout().place(*id, 0);
            let bytes = self.shards.get(&shard).map(Vec::as_slice).unwrap_or_default();
            gathered.add(shard::recall(bytes, id, now, lanes.lifetime()));
        }
        gathered.recall()
    }
}

impl Lanes {
    /// The memory of a proxy that has served requests, on which this was decided.
    pub fn memory(&self, decided: impl IntoIterator<Item = Verdict>, now: u64) -> Memory {
        let mut memory = Memory::default();
        for verdict in decided {
            memory.comes_in(self, &verdict, now);
            memory.is_served(self, &verdict, now);
        }
        memory
    }
}
