//! How long it takes until a canary that fails is found: the table of canary-split's README.
//!
//! ```text
//! cargo test --locked --release -p narrows-core --test rollback_table -- --ignored --nocapture
//! ```

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::rollback::{Class, Judge, Side, Tick};

/// The second of the fault, and the last one.
const FAULT: u64 = 30;
const LAST: u64 = 150;
/// What two workers list in a second at most, of both sides.
const LISTED: usize = 64;

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }
}

/// The seconds from the fault until the canary is found to be worse. Some users ask a thousand times as often
/// as others: the logarithm of how often has a standard deviation of one and a half.
fn run(seed: u64, (rate, users): (u64, u32), (both, canary): (u64, u64)) -> Option<u64> {
    let mut random = Random(seed);
    let mut sum = 0;
    let turns: Vec<u64> = (0..users)
        .map(|_| {
            sum += 1u64 << (random.number() & 0x7_ffff).count_ones();
            sum
        })
        .collect();
    let is_canary: Vec<bool> = (0..users).map(|_| random.below(10) == 0).collect();
    let mut judge = Judge::new(Class::Errors);
    for second in 0..LAST {
        let mut sides = [Side::default(), Side::default()];
        let mut listed = 0;
        for _ in 0..rate {
            let turn = random.below(sum);
            let user = turns.partition_point(|end| *end <= turn);
            let is_canary = is_canary[user];
            let has_fault = is_canary && second >= FAULT && random.below(1_000) < canary;
            let side = &mut sides[usize::from(is_canary)];
            side.n += 1;
            if has_fault || random.below(1_000) < both {
                side.y += 1;
                let key = u32::try_from(user).unwrap();
                match side.keys.contains(&key) {
                    true => {}
                    false if listed < LISTED => {
                        side.keys.push(key);
                        listed += 1;
                    }
                    false => side.rest += 1,
                }
            }
        }
        let [baseline, canary] = sides;
        if judge.tick(&Tick { now: 1_000_000 + second, w: 100_000, canary, baseline }).trip() {
            assert!(second >= FAULT, "it was found before it failed");
            return Some(second - FAULT + 1);
        }
    }
    None
}

#[cfg(not(target_family = "wasm"))]
#[test]
#[ignore = "prints a table, in seconds if it is optimised"]
fn table() {
    /// Requests in a second, and users of the split in this proxy: one in ten is on the canary.
    const TRAFFIC: [(u64, u32); 5] =
        [(2_000, 20_000), (2_000, 2_000), (200, 20_000), (200, 2_000), (200, 300)];
    /// Failing requests of a thousand: of both sides, and from the fault on of the canary besides.
    const FAULTS: [(u64, u64); 7] = [(0, 50), (1, 50), (1, 200), (1, 1_000), (10, 50), (10, 200), (50, 200)];
    const RUNS: u64 = 20;

    for (both, canary) in FAULTS {
        let cell = |traffic: (u64, u32)| {
            let mut found: Vec<u64> =
                (0..RUNS).filter_map(|seed| run(seed, traffic, (both, canary))).collect();
            found.sort_unstable();
            match (found.len(), found.get(found.len() / 2), found.last()) {
                (20, Some(median), Some(last)) => format!("{median} ({last})"),
                (0, ..) => "**none of 20**".to_owned(),
                (1..=10, ..) => format!("**{} of 20**", found.len()),
                (of, Some(median), _) => format!("{median}, in {of} of 20"),
                _ => unreachable!(),
            }
        };
        let percent = |thousandths: u64| match thousandths % 10 {
            0 => (thousandths / 10).to_string(),
            tenth => format!("{}.{tenth}", thousandths / 10),
        };
        println!("| {} → {} % | {} |", percent(both), percent(canary), TRAFFIC.map(cell).join(" | "));
    }
}

/// One cell in every run of the tests: an error that nobody can miss.
#[test]
fn a_canary_that_always_fails_is_found_at_once() {
    for seed in 0..3 {
        assert_eq!(run(seed, (200, 2_000), (1, 1_000)).map(|seconds| seconds <= 4), Some(true));
    }
}
