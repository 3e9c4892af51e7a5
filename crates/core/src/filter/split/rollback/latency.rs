//! Which requests are slow: slower than all but a twentieth of the baseline's recent ones.

/// The edges between buckets: four to the octave, from a millisecond to minutes.
const EDGES: usize = 72;
/// The buckets.
pub(super) const CELLS: usize = EDGES + 1;
/// `2^(i/4)`, with thirty bits behind the point.
const STEPS: [u64; 4] = [1_073_741_824, 1_276_901_417, 1_518_500_250, 1_805_811_301];
/// Requests above which all cells are halved.
const MOST: u64 = 4_000;
/// Requests below which nothing is slow that was not before.
const LEAST: u64 = 200;
/// One request in this many of the baseline's may be slow.
const ONE_IN: u64 = 20;

/// The latencies of the baseline's recent requests, and from which bucket on a request is slow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latencies {
    pub(super) cells: [u32; CELLS],
    pub(super) slow: Option<u8>,
}

/// Requests by latency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells(pub(super) [u32; CELLS]);

impl Default for Cells {
    fn default() -> Self {
        Self([0; CELLS])
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self { cells: [0; CELLS], slow: None }
    }
}

impl Latencies {
    /// No requests yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edges in microseconds, ascending.
    pub fn edges() -> [u64; EDGES] {
        std::array::from_fn(edge)
    }

    /// The bucket of a duration in microseconds: how many edges are below it, 0 to 72.
    #[inline(never)]
    pub fn bucket(micros: u64) -> u8 {
        let (mut low, mut high) = (0usize, EDGES);
        while low < high {
            let middle = low.midpoint(high);
            if edge(middle) < micros {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        u8::try_from(low).unwrap_or(u8::MAX)
    }

    /// Adds the baseline's requests of a tick, by bucket: at its end, after the canary has been judged by
    /// what was slow before.
    #[inline(never)]
    pub fn add(&mut self, cells: &[u32; 73]) {
        for (cell, more) in self.cells.iter_mut().zip(cells) {
            *cell = cell.saturating_add(*more);
        }
        while sum(&self.cells) > MOST {
            self.cells.iter_mut().for_each(|cell| *cell >>= 1);
        }
        let all = sum(&self.cells);
        if all >= LEAST {
            let slow = |from: &u8| {
                let above = self.cells.get(usize::from(*from)..).map_or(0, sum);
                above.saturating_mul(ONE_IN) <= all
            };
            self.slow = (0..=73u8).find(slow);
        }
    }

    /// The bucket from which on a request is slow; 73 if none is, nothing before there were 200 requests.
    pub fn slow(&self) -> Option<u8> {
        self.slow
    }
}

fn edge(index: usize) -> u64 {
    let step = STEPS.get(index & 3).copied().unwrap_or_default();
    (1_000u64.saturating_mul(step) << (index >> 2)) >> 30
}

fn sum(cells: &[u32]) -> u64 {
    cells.iter().fold(0, |sum, cell| sum.saturating_add(u64::from(*cell)))
}
