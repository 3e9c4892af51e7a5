//! Worlds in which the canary is not worse: nothing may be switched off.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::world::{ALWAYS, Second, World};

const WORLD: World = World { seed: 1, users: 2_000, rate: 60, weight: 100_000, chronic: (0, 0) };

fn both(fails: u64) -> Second {
    Second { fails: [fails, fails], ..Second::default() }
}

/// A hundred thousand seconds in which both sides are the same: failing a little, in bursts that they share,
/// with users of whom some always fail.
#[test]
fn a_hundred_thousand_seconds_of_the_same() {
    let shapes = [
        World { chronic: (200, ALWAYS), ..WORLD },
        World { chronic: (2_000, 3_000), ..WORLD },
        World { users: 300, chronic: (1_000, 5_000), ..WORLD },
        World { users: 300, weight: 500_000, chronic: (1_000, 5_000), ..WORLD },
        World { users: 5_000, weight: 10_000, chronic: (500, 5_000), ..WORLD },
    ];
    let of = |second: u64| both(if second.is_multiple_of(20) { 3_000 } else { 10 });
    for (index, shape) in shapes.into_iter().enumerate() {
        for seed in 0..20 {
            let world = World { seed: seed * 31 + index as u64, ..shape };
            assert_eq!(world.begin().run(1_000, of), None, "{world:?}");
        }
    }
}

/// However bad both sides are, and however few users the canary has.
#[test]
fn both_sides_bad_is_nobodys_fault() {
    for weight in [10_000, 100_000, 500_000, 900_000] {
        for (fails, rate) in [(500, 60), (5_000, 60), (5_000, 400), (ALWAYS, 60)] {
            for seed in 0..8 {
                let world = World { seed, rate, weight, ..WORLD };
                let seconds = 24_000 / rate;
                assert_eq!(world.begin().run(seconds, |_| both(fails)), None, "{fails} of 10,000, {world:?}");
            }
        }
    }
}

/// A hundred runs with about four hundred users who always fail, on both sides: more than are remembered.
#[test]
fn more_failing_users_than_are_remembered() {
    for seed in 0..100 {
        let weight = if seed % 2 == 0 { 100_000 } else { 500_000 };
        let world = World { seed, users: 4_000, rate: 200, weight, chronic: (1_000, ALWAYS) };
        assert_eq!(world.begin().run(600, |_| both(10)), None, "{world:?}");
    }
}

#[test]
fn a_canary_that_is_better() {
    for seed in 0..10 {
        let of = |_| Second { fails: [500, 100], ..Second::default() };
        assert_eq!(World { seed, ..WORLD }.begin().run(600, of), None, "{seed}");
    }
}

/// One client of the canary, or three, whose requests all fail: a thousand in twenty seconds, or for long.
#[test]
fn a_few_clients() {
    for seed in 0..10 {
        for clients in [1, 3] {
            let burst = |second: u64| Second { more: if second <= 20 { 50 } else { 0 }, clients, ..both(10) };
            assert_eq!(World { seed, ..WORLD }.begin().run(120, burst), None, "{seed}");
            let drip = |_| Second { more: 2, clients, ..both(10) };
            assert_eq!(World { seed, ..WORLD }.begin().run(540, drip), None, "{seed}");
        }
    }
}
