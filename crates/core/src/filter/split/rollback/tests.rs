//! One canary and one class, tick by tick; and in `proxy`, what the VMs of a proxy share.

mod proxy;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Class, Finding, Judge, Latencies, Side, Tick};

fn side(n: u64, keys: impl IntoIterator<Item = u32>) -> Side {
    let keys: Vec<u32> = keys.into_iter().collect();
    Side { n, y: keys.len() as u64, keys, rest: 0 }
}

/// A canary with a tenth of the users.
fn tick(now: u64, canary: Side, baseline: Side) -> Tick {
    Tick { now, w: 100_000, canary, baseline }
}

#[test]
fn twelve_failing_users_of_a_tenth_are_proof() {
    let mut judge = Judge::new(Class::Errors);
    let eleven = judge.tick(&tick(1, side(20, 0..11), side(180, [])));
    assert!(!eleven.trip() && eleven.floor && eleven.clear, "{eleven:?}");
    let twelfth = judge.tick(&tick(2, side(20, [11]), side(180, [])));
    assert!(twelfth.trip(), "{twelfth:?}");
    judge.restart();
    // The same users do not count again.
    let again = judge.tick(&tick(3, side(20, 0..12), side(180, [])));
    assert_eq!((again.x1, again.scores, again.finding), (0, [0; 3], Finding::Fine));
}

#[test]
fn one_client_is_one_user() {
    let mut judge = Judge::new(Class::Errors);
    for now in 0..1_000 {
        let one = Side { n: 50, y: 50, keys: vec![7], rest: 0 };
        let judged = judge.tick(&tick(now, one, side(450, [])));
        assert!(!judged.trip(), "{now}");
        assert_eq!(judged.suspect(), now >= 9, "{now}");
    }
}

#[test]
fn a_user_counts_again_after_ten_quiet_minutes() {
    let mut judge = Judge::new(Class::Errors);
    for (now, fresh) in [(0, 1), (600, 0), (1_200, 0), (1_801, 1)] {
        assert_eq!(judge.tick(&tick(now, side(1, [7]), side(0, []))).x1, fresh, "{now}");
    }
}

/// Where users cannot be told apart, a canary that has more requests may have more errors.
#[test]
fn without_users_requests_are_compared_with_requests() {
    let mut judge = Judge::new(Class::Errors);
    for now in 0..100 {
        let rest = |n, rest| Side { n, y: rest, keys: Vec::new(), rest };
        let judged = judge.tick(&tick(now, rest(300, 60), rest(300, 60)));
        assert_eq!((judged.finding, judged.scores[0]), (Finding::Fine, 0), "{now}");
    }
}

#[test]
fn where_there_is_nothing_to_compare_nothing_is_judged() {
    for w in [0, 1_000_000] {
        let mut judge = Judge::new(Class::Errors);
        let judged = judge.tick(&Tick { w, ..tick(1, side(100, 0..100), side(100, [])) });
        assert_eq!((judged.scores, judged.trip()), ([0; 3], false));
    }
}

#[test]
fn edges_are_four_to_the_octave() {
    let edges = Latencies::edges();
    assert_eq!(edges[..6], [1_000, 1_189, 1_414, 1_681, 2_000, 2_378]);
    assert_eq!(edges[71], 220_435_949);
    for (micros, bucket) in [(0, 0), (1_000, 0), (1_001, 1), (2_000, 4), (2_001, 5), (u64::MAX, 72)] {
        assert_eq!(Latencies::bucket(micros), bucket, "{micros}");
    }
}

#[test]
fn a_twentieth_of_the_baseline_is_slow() {
    let mut latencies = Latencies::new();
    let mut cells = [0; 73];
    cells[10] = 189;
    cells[20] = 10;
    latencies.add(&cells);
    assert_eq!(latencies.slow(), None);
    cells = [0; 73];
    cells[10] = 1;
    latencies.add(&cells);
    assert_eq!(latencies.slow(), Some(11));
    cells[72] = 100_000;
    latencies.add(&cells);
    assert_eq!(latencies.slow(), Some(73));
}
