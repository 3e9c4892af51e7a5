//! A policy in force.

use std::cell::Cell;

use narrows_core::{Policy, hash_of};

use crate::extension::Extension;
use crate::lease::Plugin;
use crate::metric::Ids;
use crate::node::Node;
use crate::read;

/// A compiled policy with the ids of its series.
pub(crate) struct Loaded<P, E> {
    pub(crate) policy: P,
    pub(crate) ids: Ids,
    /// What the filter does beside deciding.
    pub(crate) extension: E,
    pub(crate) node: Node,
    /// How many nonces were drawn: one for each request that asked.
    drawn: Cell<u64>,
}

impl<P: Policy, E: Extension<P>> Loaded<P, E> {
    pub(crate) fn new(policy: P, plugin: &Plugin) -> Self {
        let ids = Ids::of(&policy.common().series);
        let extension = E::load(&policy, &ids, plugin);
        Self { policy, ids, extension, node: Node::default(), drawn: Cell::new(0) }
    }

    /// A number that differs from request to request and from worker to worker.
    pub(crate) fn nonce(&self) -> u64 {
        self.drawn.set(self.drawn.get().wrapping_add(1));
        hash_of(&read::now_nanos().to_le_bytes(), &self.drawn.get().to_le_bytes())
    }
}
