//! How long it takes until a canary that is worse is found: the tables of canary-split's README.
//!
//! ```text
//! cargo test --locked --release -p narrows-core --test rollback_table -- --ignored --nocapture
//! ```

use std::time::Duration;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::rollback::{Class, Judge, Latencies, Side, Tick};

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

    /// About as a normal distribution gives them: the bits of 256 throws, and a throw in between.
    fn normal(&mut self) -> f64 {
        let ones: u32 = (0..4).map(|_| self.number().count_ones()).sum();
        let between = f64::from(u32::try_from(self.number() >> 32).unwrap()) / f64::from(u32::MAX);
        (f64::from(ones) + between - 128.5) / 8.0
    }
}

/// What is wrong with requests.
trait Fault {
    const CLASS: Class;

    /// Whether a request is found to be bad; nothing while that cannot be said. `is_worse` is for those of the
    /// canary once it has its fault.
    fn is_bad(&mut self, random: &mut Random, user: usize, is_canary: bool, is_worse: bool) -> Option<bool>;

    /// A second is over.
    fn tick(&mut self) {}
}

/// Failing requests of a thousand: of both sides, and of the canary besides.
struct Errors {
    both: u64,
    canary: u64,
}

impl Fault for Errors {
    const CLASS: Class = Class::Errors;

    fn is_bad(&mut self, random: &mut Random, _: usize, _: bool, is_worse: bool) -> Option<bool> {
        Some(is_worse && random.below(1_000) < self.canary || random.below(1_000) < self.both)
    }
}

/// Responses take twenty milliseconds in the middle, for a user in the middle.
struct Slow {
    /// How much longer they take of the canary, in times.
    times: f64,
    /// The logarithm's standard deviation, of the requests of one user.
    spread: f64,
    /// What each user's take, in microseconds.
    users: Vec<f64>,
    latencies: Latencies,
    cells: [u32; 73],
}

impl Slow {
    fn new(times: f64, ninety_ninth: f64, users: u32) -> Self {
        let mut random = Random(7);
        let users = (0..users).map(|_| 20_000.0 * (0.3 * random.normal()).exp()).collect();
        // Of a normal distribution, 99 % are below this many standard deviations.
        Self { times, spread: ninety_ninth.ln() / 2.326, users, latencies: Latencies::new(), cells: [0; 73] }
    }
}

impl Fault for Slow {
    const CLASS: Class = Class::Latency;

    fn is_bad(&mut self, random: &mut Random, user: usize, is_canary: bool, is_worse: bool) -> Option<bool> {
        let times = if is_worse { self.times } else { 1.0 };
        let took = times * self.users[user] * (self.spread * random.normal()).exp();
        let bucket = Latencies::bucket(Duration::from_secs_f64(took / 1e6).as_micros().try_into().unwrap());
        self.cells[usize::from(bucket)] += u32::from(!is_canary);
        self.latencies.slow().map(|slow| bucket >= slow)
    }

    fn tick(&mut self) {
        self.latencies.add(&std::mem::replace(&mut self.cells, [0; 73]));
    }
}

/// The seconds from the fault until the canary is found to be worse. Some users ask a thousand times as often
/// as others: the logarithm of how often has a standard deviation of one and a half.
fn run<F: Fault>(seed: u64, (rate, users): (u64, u32), mut fault: F) -> Option<u64> {
    let mut random = Random(seed);
    let mut sum = 0;
    let turns: Vec<u64> = (0..users)
        .map(|_| {
            sum += 1u64 << (random.number() & 0x7_ffff).count_ones();
            sum
        })
        .collect();
    let is_canary: Vec<bool> = (0..users).map(|_| random.below(10) == 0).collect();
    let mut judge = Judge::new(F::CLASS);
    for second in 0..LAST {
        let mut sides = [Side::default(), Side::default()];
        let mut listed = 0;
        for _ in 0..rate {
            let turn = random.below(sum);
            let user = turns.partition_point(|end| *end <= turn);
            let is_canary = is_canary[user];
            let is_worse = is_canary && second >= FAULT;
            let Some(is_bad) = fault.is_bad(&mut random, user, is_canary, is_worse) else { continue };
            let side = &mut sides[usize::from(is_canary)];
            side.n += 1;
            if is_bad {
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
        fault.tick();
        let [baseline, canary] = sides;
        if judge.tick(&Tick { now: 1_000_000 + second, w: 100_000, canary, baseline }).trip() {
            assert!(second >= FAULT, "it was found before it failed");
            return Some(second - FAULT + 1);
        }
    }
    None
}

/// Twenty runs in a cell: the median and the last, or how many were found.
fn cell(found: impl Fn(u64) -> Option<u64>) -> String {
    let mut found: Vec<u64> = (0..20).filter_map(found).collect();
    found.sort_unstable();
    match (found.len(), found.get(found.len() / 2), found.last()) {
        (20, Some(median), Some(last)) => format!("{median} ({last})"),
        (0, ..) => "**none of 20**".to_owned(),
        (1..=10, ..) => format!("**{} of 20**", found.len()),
        (of, Some(median), _) => format!("{median}, in {of} of 20"),
        _ => unreachable!(),
    }
}

#[cfg(not(target_family = "wasm"))]
#[test]
#[ignore = "prints a table, in seconds if it is optimised"]
fn errors() {
    /// Requests in a second, and users of the split in this proxy: one in ten is on the canary.
    const TRAFFIC: [(u64, u32); 5] =
        [(2_000, 20_000), (2_000, 2_000), (200, 20_000), (200, 2_000), (200, 300)];
    const FAULTS: [(u64, u64); 7] = [(0, 50), (1, 50), (1, 200), (1, 1_000), (10, 50), (10, 200), (50, 200)];

    for (both, canary) in FAULTS {
        let cells = TRAFFIC.map(|traffic| cell(|seed| run(seed, traffic, Errors { both, canary })));
        let percent = |thousandths: u64| match thousandths % 10 {
            0 => (thousandths / 10).to_string(),
            tenth => format!("{}.{tenth}", thousandths / 10),
        };
        println!("| {} → {} % | {} |", percent(both), percent(canary), cells.join(" | "));
    }
}

#[cfg(not(target_family = "wasm"))]
#[test]
#[ignore = "prints a table, in seconds if it is optimised"]
fn latency() {
    for times in [1.5, 2.0, 3.0] {
        let cells = [(3.0, 2_000, 20_000), (3.0, 200, 20_000), (3.0, 200, 2_000)]
            .into_iter()
            .chain([(10.0, 2_000, 20_000), (10.0, 200, 20_000), (10.0, 200, 2_000)])
            .map(|(spread, rate, users)| {
                cell(|seed| run(seed, (rate, users), Slow::new(times, spread, users)))
            });
        println!("| {times} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// One cell in every run of the tests: an error that nobody can miss.
#[test]
fn a_canary_that_always_fails_is_found_at_once() {
    for seed in 0..3 {
        let found = run(seed, (200, 2_000), Errors { both: 1, canary: 1_000 });
        assert_eq!(found.map(|seconds| seconds <= 4), Some(true));
    }
}

/// One that takes three times as long, and one that does not.
#[test]
fn a_canary_that_is_slow_is_found_and_an_equal_one_is_not() {
    for seed in 0..3 {
        let found = |times| run(seed, (400, 2_000), Slow::new(times, 3.0, 2_000));
        assert_eq!(found(3.0).map(|seconds| seconds <= 8), Some(true));
        assert_eq!(found(1.0), None);
    }
}
