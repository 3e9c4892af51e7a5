//! The requests of the last ten seconds, and whether the canary's are worse.

use super::side::COUNT;

/// The seconds that are looked at.
const SECONDS: u64 = 10;
/// As a number of them.
pub(super) const SECONDS_KEPT: usize = 10;
/// The square of the standard deviations by which the sides must differ.
const CLEAR: u128 = 9;

/// What both sides counted in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    pub(super) at: u64,
    /// The canary's requests, and those that fail.
    pub(super) canary: (u64, u64),
    pub(super) baseline: (u64, u64),
}

/// The last ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) seconds: Vec<Second>,
}

/// The requests of ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// The canary's requests, and those that fail.
    pub canary: (u64, u64),
    /// The baseline's.
    pub baseline: (u64, u64),
}

impl Ring {
    /// Adds a second, which is later than all before.
    pub(super) fn push(&mut self, second: Second) {
        let capped = |(all, failing): (u64, u64)| (all.min(COUNT), failing.min(COUNT));
        let now = second.at;
        self.seconds.retain(|known| now.saturating_sub(known.at) < SECONDS);
        self.seconds.push(Second {
            canary: capped(second.canary),
            baseline: capped(second.baseline),
            ..second
        });
    }

    #[inline(never)]
    pub(super) fn sums(&self) -> Sums {
        let add = |(a, b): (u64, u64), (c, d): (u64, u64)| (a.saturating_add(c), b.saturating_add(d));
        self.seconds.iter().fold(Sums::default(), |sums, second| Sums {
            canary: add(sums.canary, second.canary),
            baseline: add(sums.baseline, second.baseline),
        })
    }
}

impl Sums {
    /// Whether the canary's failing share is at least `points` hundredths above the baseline's.
    #[inline(never)]
    pub(super) fn is_above(&self, points: i64) -> bool {
        let [n1, y1, n0, y0] = self.signed();
        let (m1, m0) = (n1.max(1), n0.max(1));
        // No count has more than 28 bits, so this has less than 64.
        let above = y1.saturating_mul(m0).saturating_sub(y0.saturating_mul(m1)).saturating_mul(100);
        above >= points.saturating_mul(m1).saturating_mul(m0)
    }

    /// Whether that share is three standard deviations above the baseline's, as if requests were
    /// independent.
    #[inline(never)]
    pub(super) fn is_clear(&self) -> bool {
        let [n1, y1, n0, y0] = self.signed();
        let more = y1.saturating_mul(n0).saturating_sub(y0.saturating_mul(n1));
        if more <= 0 {
            return false;
        }
        let (all, failing) = (n1.saturating_add(n0), y1.saturating_add(y0));
        let wide = |number: i64| u128::from(number.unsigned_abs());
        let times = |a: u128, b: u128| a.wrapping_mul(b);
        // Where the square is that large, it is larger than the other side in any case.
        let square = times(wide(more), wide(more)).min(1 << 99);
        let other = times(times(CLEAR, wide(failing)), wide(all.saturating_sub(failing).max(0)));
        times(square, wide(all)) >= times(times(other, wide(n1)), wide(n0))
    }

    fn signed(&self) -> [i64; 4] {
        let [(n1, y1), (n0, y0)] = [self.canary, self.baseline];
        [n1, y1, n0, y0].map(|count| i64::try_from(count).unwrap_or_default())
    }
}
