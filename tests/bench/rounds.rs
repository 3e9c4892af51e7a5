//! Rounds: each chain gets some requests, in another order each time, and what the worker used is read.

use std::time::Duration;

use super::load::Load;
use super::processor;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How often each chain has its turn.
    pub rounds: u32,
    /// The requests of a turn.
    pub requests: u32,
    /// The requests before the first turn: V8 compiles for speed what is called often.
    pub warm: u32,
}

impl Extent {
    /// What a figure needs.
    pub const FULL: Self = Self { rounds: 24, requests: 2_000, warm: 40_000 };
    /// Enough to see that everything answers.
    pub const SMOKE: Self = Self { rounds: 1, requests: 2, warm: 1 };

    /// Half as many rounds, for the sections beside the first.
    #[must_use]
    pub fn halved(self) -> Self {
        Self { rounds: self.rounds.div_ceil(2), ..self }
    }
}

/// Microseconds of an Envoy's worker for each request: a list of turns for each load.
pub(super) fn measure(pid: u32, mut loads: Vec<Load>, extent: Extent) -> anyhow::Result<Vec<Vec<f64>>> {
    for load in &mut loads {
        load.send(extent.warm)?;
    }
    let mut samples = vec![Vec::new(); loads.len()];
    let mut groups = groups(&loads);
    for round in 0..extent.rounds {
        shuffle(&mut groups, round);
        for group in &mut groups {
            // None is always the first of its group.
            group.rotate_left(1);
            for place in group {
                samples[*place].push(turn(pid, &mut loads[*place], extent.requests)?);
            }
        }
    }
    Ok(samples)
}

/// The places of the loads, those of one group together.
fn groups(loads: &[Load]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, load) in loads.iter().enumerate() {
        match groups.iter_mut().find(|group| loads[group[0]].group() == load.group()) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

fn turn(pid: u32, load: &mut Load, requests: u32) -> anyhow::Result<f64> {
    // What the chain before has lost from the caches is not this one's to pay.
    load.send(requests / 20)?;
    settle();
    let before = processor::workers(pid)?;
    let sent = load.send(requests)?;
    settle();
    let nanos = processor::workers(pid)? - before;
    #[allow(clippy::cast_precision_loss, reason = "far below two to the power of 52")]
    Ok(nanos as f64 / 1e3 / f64::from(sent))
}

/// The last answer comes before the worker has put the request away; its thread is counted when it sleeps.
fn settle() {
    std::thread::sleep(Duration::from_millis(2));
}

/// An order for each round, the same in every run.
fn shuffle<T>(order: &mut [T], round: u32) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(round) + 1);
    for last in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(0);
        order.swap(last, other);
    }
}

#[test]
fn every_round_has_all_chains_in_another_order() {
    let [mut first, mut second] = [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]];
    shuffle(&mut first, 0);
    shuffle(&mut second, 1);
    assert_ne!(first, second);
    first.sort_unstable();
    assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7]);
}
