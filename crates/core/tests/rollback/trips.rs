//! Canaries that are worse: how many seconds, and how many of their requests, it takes to see it.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::world::{ALWAYS, Second, World};

/// Rows like those of the table in the filter's README: how often baseline and canary fail, in 10,000; the requests in
/// a second; the users; and the seconds that the slowest of twenty runs may take.
const ROWS: [(u64, u64, u64, u64, u64); 10] = [
    (0, 500, 2_000, 20_000, 4),
    (0, 500, 2_000, 2_000, 4),
    (0, 500, 200, 20_000, 24),
    (10, 500, 2_000, 20_000, 4),
    (10, 2_000, 2_000, 2_000, 2),
    (10, 2_000, 200, 2_000, 8),
    (10, ALWAYS, 200, 2_000, 3),
    (100, 500, 2_000, 20_000, 8),
    (100, 2_000, 200, 2_000, 14),
    (500, 2_000, 2_000, 20_000, 4),
];

#[test]
fn a_canary_that_fails_more_often() {
    for (baseline, canary, rate, users, worst) in ROWS {
        let mut taken: Vec<(u64, u64)> = (0..20)
            .map(|seed| {
                let world = World { seed, users, rate, weight: 100_000, chronic: (0, 0) };
                let mut running = world.begin();
                let same = Second { fails: [baseline, baseline], ..Second::default() };
                assert_eq!(running.run(30, |_| same), None, "{world:?}");
                let before = running.requests;
                let worse = Second { fails: [baseline, canary], ..Second::default() };
                let seconds = running.run(150, |_| worse).unwrap_or(u64::MAX);
                (seconds, running.requests - before)
            })
            .collect();
        taken.sort_unstable();
        let (median, most) = (taken[10], taken[19]);
        println!("{baseline} -> {canary} of 10,000, {rate}/s, {users} users: {median:?}, at most {most:?}");
        assert!(most.0 <= worst, "{baseline} -> {canary}, {rate}/s, {users} users: {taken:?}");
    }
}

/// Clients that try again make the canary's share of requests grow: that must not hide it.
#[test]
fn a_storm_of_retries() {
    for seed in 0..10 {
        let world = World { seed, users: 2_000, rate: 100, weight: 100_000, chronic: (0, 0) };
        let of = |_| Second { fails: [10, 8_000], storm: 3, ..Second::default() };
        let taken = world.begin().run(60, of);
        assert!(taken.is_some_and(|seconds| seconds <= 10), "{taken:?}");
    }
}
