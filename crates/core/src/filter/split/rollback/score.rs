//! The scores of a canary, in integers: 1024 parts to a doubling of the odds.
//!
//! `w` is the canary's share of the buckets. If a failing user is in the canary with chance `w`, the
//! factor `r^x1 / (1 + (r-1)w)^x` has mean 1, where `x` users fail and `x1` of them are in the canary. A
//! product of such factors that starts at any tick exceeds `2^32` with a chance of at most `2^-32` (Ville
//! 1939), and a score is the logarithm of the greatest of them (Page 1954). There are three ratios: so in
//! `t` ticks, chance alone trips with at most `3 t / 2^32`.

/// How many times as often a user fails in a canary as the three scores suppose: as logarithms to 2.
const RATIOS: [u32; 3] = [1, 2, 4];
/// A whole, in millionths.
pub(super) const WHOLE: u64 = 1_000_000;
/// The score that proves.
const PROOF: u64 = 32 << 10;
/// The most that a score is.
const MOST: u64 = 1 << 40;
/// One, as a number with thirty bits behind the point.
const ONE: u32 = 30;

/// What speaks against a canary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scores(pub(super) [u64; 3]);

impl Scores {
    /// Adds the users who failed in a tick: `canary` of the canary's and `baseline` of the baseline's, of
    /// whom `share` millionths are expected to be the canary's.
    pub(super) fn add(&mut self, canary: u64, baseline: u64, share: u64) {
        for (score, ratio) in self.0.iter_mut().zip(RATIOS) {
            let against = (canary << 10).saturating_mul(u64::from(ratio));
            let expected = canary.saturating_add(baseline).saturating_mul(cost(ratio, share));
            *score = score.saturating_add(against).saturating_sub(expected).min(MOST);
        }
    }

    /// Whether they prove that the canary is worse.
    pub(super) fn prove(&self) -> bool {
        self.0.iter().any(|score| *score >= PROOF)
    }
}

/// What a failing user of either side costs a score: `1024 log2(1 + (r-1) share)`, rounded up.
#[inline(never)]
fn cost(ratio: u32, share: u64) -> u64 {
    let more = (1u64 << ratio).saturating_sub(1).saturating_mul(share.min(WHOLE));
    log2_q10(WHOLE.saturating_add(more), WHOLE).saturating_add(1)
}

/// `floor(1024 log2(number / of))` of a number that is not less than `of`.
fn log2_q10(number: u64, of: u64) -> u64 {
    let (mut whole, mut of) = (0u64, of);
    while number >= of.saturating_mul(2) {
        of = of.saturating_mul(2);
        whole = whole.saturating_add(1);
    }
    let mut rest = (number << ONE).checked_div(of).unwrap_or(1 << ONE);
    // The highest bit ends the loop, after ten rounds.
    let mut log = whole | 1 << 16;
    while log < 1 << 26 {
        rest = rest.saturating_mul(rest) >> ONE;
        log <<= 1;
        if rest >= 2 << ONE {
            rest >>= 1;
            log |= 1;
        }
    }
    log & ((1 << 26) - 1)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Scores, WHOLE, cost, log2_q10};

    #[test]
    fn logarithms_are_rounded_down() {
        for (number, log) in [(1_000_000, 0), (2_000_000, 1024), (16_000_000, 4096), (1_100_000, 140)] {
            assert_eq!(log2_q10(number, WHOLE), log, "{number}");
        }
        assert_eq!(cost(1, 100_000), 141);
        assert_eq!(cost(4, 999_999), 4096);
    }

    /// As many failing users of the canary alone as the table of the README says.
    #[test]
    fn so_many_users_prove() {
        for (share, users) in [(1, 9), (5, 11), (10, 12), (25, 19), (50, 36), (75, 84)] {
            let proof = |count| {
                let mut scores = Scores::default();
                scores.add(count, 0, share * 10_000);
                scores.prove()
            };
            assert!(proof(users) && !proof(users - 1), "{share} %");
        }
    }

    #[test]
    fn a_score_neither_falls_below_zero_nor_grows_for_ever() {
        let mut scores = Scores::default();
        scores.add(0, 1 << 24, 500_000);
        assert_eq!(scores, Scores::default());
        for _ in 0..100 {
            scores.add(1 << 24, 0, 1);
        }
        assert_eq!(scores.0[2], 1 << 40);
    }
}
