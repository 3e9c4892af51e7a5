//! A policy in force.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use narrows_core::{Policy, hash_of};

use crate::extension::Extension;
use crate::lease::Plugin;
use crate::metric::Ids;
use crate::node::Node;
use crate::read;

/// A policy in force, and what its filter does between requests.
pub(crate) trait InForce {
    /// How often [`Self::tick`] is called.
    fn period(&self) -> Duration;

    /// Called once per [`Self::period`].
    fn tick(&self);

    /// Receives the number of series that the policies of all plugins allow.
    fn allow(&self, limit: u32);

    /// A callout was answered or given up.
    fn answered(&self, token: u32, has_headers: bool);

    /// The root context ends.
    fn release(&self);
}

/// Puts policies of one filter in force.
pub(crate) trait Load: InForce + Sized + 'static {
    type Policy: Policy;

    /// Puts a policy in force.
    fn load(policy: Self::Policy, plugin: &Plugin) -> Self;

    /// How many series a policy allows its filter.
    fn limit(policy: &Self::Policy) -> u32;
}

/// A compiled policy with the ids of its series.
pub(crate) struct Loaded<P, E> {
    pub(crate) policy: P,
    pub(crate) ids: Ids,
    /// What the filter does beside deciding.
    pub(crate) extension: E,
    pub(crate) node: Rc<Node>,
    /// How many nonces were drawn: one for each request that asked.
    drawn: Cell<u64>,
}

impl<P: Policy, E: Extension<P>> Loaded<P, E> {
    pub(crate) fn new(policy: P, plugin: &Plugin, node: Rc<Node>) -> Self {
        let ids = Ids::of(&policy.common().series);
        let extension = E::load(&policy, &ids, plugin);
        Self { policy, ids, extension, node, drawn: Cell::new(0) }
    }

    /// A number that differs from request to request and from worker to worker.
    pub(crate) fn nonce(&self) -> u64 {
        self.drawn.set(self.drawn.get().wrapping_add(1));
        hash_of(&read::now_nanos().to_le_bytes(), &self.drawn.get().to_le_bytes())
    }
}

impl<P: Policy, E: Extension<P>> InForce for Loaded<P, E> {
    fn period(&self) -> Duration {
        self.extension.period(&self.policy)
    }

    fn tick(&self) {
        self.extension.tick(&self.policy, &self.ids);
    }

    fn allow(&self, limit: u32) {
        self.extension.allow(&self.policy, &self.ids, limit);
    }

    fn answered(&self, token: u32, has_headers: bool) {
        self.extension.answered(&self.policy, &self.ids, token, has_headers);
    }

    fn release(&self) {
        self.extension.release(&self.policy, &self.ids);
    }
}

impl<P: Policy + 'static, E: Extension<P>> Load for Loaded<P, E> {
    type Policy = P;

    fn load(policy: P, plugin: &Plugin) -> Self {
        Self::new(policy, plugin, Rc::default())
    }

    fn limit(policy: &P) -> u32 {
        E::limit(policy)
    }
}
