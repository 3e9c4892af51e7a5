//! A request on its way through the parts of a merged policy.

use narrows_core::merged::{Provenance, Working};
use narrows_core::{Edit, Needs};

use crate::abi::map::Map;

/// What the parts that have decided left for the next.
pub(crate) struct Course<'r> {
    /// The headers, as they are in Envoy too.
    pub(crate) working: Working<'r>,
    pub(crate) provenance: Provenance<'r>,
    /// Filter state to publish after the last part.
    pub(crate) state: Vec<(String, Vec<u8>)>,
}

impl<'r> Course<'r> {
    /// A request as it came, with what earlier filters of the proxy have recorded.
    pub(crate) fn new(headers: &'r Map, known: Option<&'r [u8]>) -> Self {
        Self { working: Working::new(headers.pairs()), provenance: Provenance::new(known), state: Vec::new() }
    }

    /// `:authority`; empty if there is none.
    pub(crate) fn authority(&self) -> Vec<u8> {
        let mut found = self.working.iter().filter(|(name, _)| *name == b":authority");
        found.next().map(|(_, value)| value.to_vec()).unwrap_or_default()
    }

    /// Takes what a part has done. Filter state is written once under each name: a later part's takes
    /// the place of an earlier one's.
    pub(crate) fn take(
        &mut self,
        edits: &[Edit<'static>],
        state: Vec<(String, Vec<u8>)>,
        said: Option<Vec<u8>>,
        needs: Needs,
    ) {
        self.working.edit(edits);
        self.provenance.keep(said, needs);
        self.state.retain(|(name, _)| state.iter().all(|(new, _)| new != name));
        self.state.extend(state);
    }
}
