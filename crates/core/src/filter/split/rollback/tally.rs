//! What one VM has counted since its last tick.

use super::latency::Cells;
use super::record::CLASSES;
use super::side::Side;

/// The users that a VM tells apart in a tick: more cannot be one client. Both sides share the room, so that
/// what does not fit is missing on both alike.
const KEYS: usize = 32;

/// What one VM has counted since its last tick.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// By class and side: the baseline, then each canary.
    sides: Vec<[Side; CLASSES]>,
    /// The latencies of the baseline.
    pub(super) cells: Cells,
    /// The greatest share by which requests were decided, for each canary.
    shares: Vec<u64>,
}

/// Of a side that has counted nothing.
static NOTHING: Side = Side { n: 0, y: 0, keys: Vec::new(), rest: 0 };

impl Tally {
    pub(super) fn side(&self, class: usize, side: usize) -> &Side {
        self.sides.get(side).and_then(|classes| classes.get(class)).unwrap_or(&NOTHING)
    }

    pub(super) fn share(&self, canary: usize) -> u64 {
        self.shares.get(canary).copied().unwrap_or_default()
    }

    /// Counts a request.
    #[inline(never)]
    pub(super) fn count(&mut self, class: usize, side: usize, is_failing: bool, key: Option<u32>) {
        if self.sides.len() <= side {
            self.sides.resize_with(side.saturating_add(1), Default::default);
        }
        let listed = |classes: &[Side; CLASSES]| classes.get(class).map_or(0, |side| side.keys.len());
        let listed = self.sides.iter().map(listed).fold(0, usize::saturating_add);
        if let Some(side) = self.sides.get_mut(side).and_then(|classes| classes.get_mut(class)) {
            side.count(is_failing, key, KEYS.saturating_sub(listed));
        }
    }

    /// Notes that requests were decided by this share.
    #[inline(never)]
    pub(super) fn decided_by(&mut self, canary: usize, share: u64) {
        if self.shares.len() <= canary {
            self.shares.resize(canary.saturating_add(1), 0);
        }
        if let Some(known) = self.shares.get_mut(canary) {
            *known = share.max(*known);
        }
    }

    pub(super) fn took(&mut self, bucket: u8) {
        if let Some(cell) = self.cells.0.get_mut(usize::from(bucket)) {
            *cell = cell.saturating_add(1);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sides.is_empty() && self.cells.0.iter().all(|cell| *cell == 0)
    }
}
