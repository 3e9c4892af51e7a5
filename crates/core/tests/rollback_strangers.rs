//! Who can switch a canary off by making requests fail, and who can keep it on.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use narrows_core::split::rollback::{Class, Judge, Side, Tick};

/// Judges seconds in which each side has these requests, and these users fail. Returns the number of seconds
/// after which the canary is found to be worse.
fn trips(
    seconds: u64,
    weight: u64,
    requests: (u64, u64),
    failing: impl Fn(u64) -> [(u64, Vec<u32>); 2],
) -> Option<u64> {
    let mut judge = Judge::new(Class::Errors);
    (1..=seconds).find(|second| {
        let [canary, baseline] = failing(*second);
        let side = |n, (y, keys)| Side { n: n + y, y, keys, rest: 0 };
        let (canary, baseline) = (side(requests.0, canary), side(requests.1, baseline));
        judge.tick(&Tick { now: 1_000_000 + second, w: weight * 10_000, canary, baseline }).trip()
    })
}

fn users(numbers: std::ops::Range<u64>) -> Vec<u32> {
    numbers.map(|number| u32::try_from(number).unwrap()).collect()
}

const NOBODY: (u64, Vec<u32>) = (0, Vec::new());

#[test]
fn one_client_cannot_and_neither_can_three() {
    for (clients, each) in [(1, 50), (1, 2), (3, 50), (3, 1)] {
        let failing = |_| [(clients * each, users(0..clients)), NOBODY];
        assert_eq!(trips(3_600, 10, (20, 180), failing), None, "{clients} clients, {each} a second");
    }
}

#[test]
fn somebody_with_a_dozen_keys_on_the_canary_can() {
    let with = |keys| {
        trips(60, 10, (20, 180), move |second| {
            [(keys, users(0..keys)), NOBODY].map(|side| if second == 1 { side } else { NOBODY })
        })
    };
    assert_eq!(with(11), None);
    assert_eq!(with(12), Some(1));
}

/// The line "users" of the README.
#[test]
fn so_many_users_must_fail() {
    for (weight, needed) in [(1, 9), (5, 11), (10, 12), (25, 19), (50, 36), (75, 84)] {
        let failing = |second| [(1, users(second..second + 1)), NOBODY];
        assert_eq!(trips(200, weight, (0, (100 / weight).max(2)), failing), Some(needed), "{weight} %");
    }
    let failing = |second| [(1, users(second..second + 1)), NOBODY];
    assert_eq!(trips(2_000, 100, (0, 2), failing), None, "there is nothing to compare");
}

#[test]
fn what_fails_on_both_sides_switches_nothing_off() {
    for each in [1, 3, 30] {
        let failing = |second| {
            let from = second * each * 10;
            [(each, users(from..from + each)), (each * 9, users(from + each..from + each * 10))]
        };
        assert_eq!(trips(3_600, 10, (20, 180), failing), None, "{each} of the canary's users each second");
    }
}

#[test]
fn somebody_with_many_keys_on_the_baseline_can_hide_a_bad_canary() {
    let failing = |second| {
        let from = second * 100;
        [(1, users(from..from + 1)), (20, users(from + 1..from + 21))]
    };
    assert_eq!(trips(3_600, 10, (20, 180), failing), None);
    let alone = |second| [(1, users(second..second + 1)), NOBODY];
    assert!(trips(3_600, 10, (20, 180), alone).is_some());
}
