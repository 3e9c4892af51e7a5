//! A ramp: the weight of a backend as a function of time.
//!
//! Every proxy computes the weight from the clock alone. Before the first step it is 0, after the last
//! it stays. Between two steps it is that of the earlier one or, if the ramp is `linear`, what lies on
//! the line between them at that second. The slot never moves, so a ramp that rises takes buckets from
//! the baseline and gives none back, whatever the difference between two clocks.

/// The weight of a backend over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// In the order of time, each later than the one before.
    steps: Vec<Step>,
    between: Between,
}

/// From a moment on, so many buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Seconds since the epoch.
    pub at: u64,
    /// The buckets that the backend owns then.
    pub buckets: u32,
}

/// What holds between two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Between {
    /// The earlier step.
    #[default]
    Step,
    /// The line from the one to the other, at whole seconds.
    Linear,
}

impl Ramp {
    /// A ramp of steps that are in the order of time.
    pub(super) fn new(steps: Vec<Step>, between: Between) -> Self {
        Self { steps, between }
    }

    /// The steps, in the order of time.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The most buckets that it ever gives.
    pub fn peak(&self) -> u32 {
        self.steps.iter().map(|step| step.buckets).max().unwrap_or_default()
    }

    /// The buckets at a moment, in seconds since the epoch.
    pub fn buckets(&self, now: u64) -> u32 {
        let past = self.steps.partition_point(|step| step.at <= now);
        let Some(from) = past.checked_sub(1).and_then(|last| self.steps.get(last)) else { return 0 };
        match (self.between, self.steps.get(past)) {
            (Between::Linear, Some(to)) => on_line(*from, *to, now),
            _ => from.buckets,
        }
    }
}

/// `from + (to - from) * passed / whole`, rounded towards `from`.
fn on_line(from: Step, to: Step, now: u64) -> u32 {
    let (passed, whole) = (now.saturating_sub(from.at), to.at.saturating_sub(from.at));
    // A million times the seconds of eight thousand years is far from overflow.
    let moved = u64::from(from.buckets.abs_diff(to.buckets)).saturating_mul(passed).checked_div(whole);
    let moved = moved.and_then(|moved| u32::try_from(moved).ok()).unwrap_or_default();
    if to.buckets >= from.buckets {
        from.buckets.saturating_add(moved)
    } else {
        from.buckets.saturating_sub(moved)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Between, Ramp, Step};

    fn ramp(between: Between) -> Ramp {
        let steps = [(100, 10_000), (110, 100_000), (200, 99_999), (201, 1_000_000)];
        Ramp::new(steps.into_iter().map(|(at, buckets)| Step { at, buckets }).collect(), between)
    }

    #[test]
    fn steps_hold_until_the_next() {
        let ramp = ramp(Between::Step);
        for (now, buckets) in [
            (0, 0),
            (99, 0),
            (100, 10_000),
            (109, 10_000),
            (110, 100_000),
            (200, 99_999),
            (u64::MAX, 1_000_000),
        ] {
            assert_eq!(ramp.buckets(now), buckets, "{now}");
        }
        assert_eq!(ramp.peak(), 1_000_000);
    }

    #[test]
    fn a_line_is_rounded_towards_where_it_came_from() {
        let ramp = ramp(Between::Linear);
        for (now, buckets) in [
            (99, 0),
            (100, 10_000),
            (101, 19_000),
            (109, 91_000),
            (110, 100_000),
            (111, 100_000),
            (199, 100_000),
            (200, 99_999),
            (201, 1_000_000),
            (9_999, 1_000_000),
        ] {
            assert_eq!(ramp.buckets(now), buckets, "{now}");
        }
    }
}
