#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Judgement, Register, Root, Watcher};

const SHOP: u64 = 77;
const OTHER: u64 = 78;
const GOOD: u64 = 1;
const NEXT: u64 = 2;
const BAD: u64 = 3;

/// A fresh VM, as that in which Envoy tries a policy, judges a bad one.
fn tried(register: &mut Register, plugin: u64, policy: u64) -> Judgement {
    register.bad(plugin, policy, true, false)
}

/// A push that is taken: the canary, then the main thread and workers.
fn push(register: &mut Register, policy: u64) -> [Root; 3] {
    [0; 3].map(|_| register.good(SHOP, policy, 0, 0))
}

fn beat(register: &mut Register, root: Root) -> Root {
    let root = Root { beat: root.beat + 1, ..root };
    register.beat(root, &[]);
    root
}

#[test]
fn what_is_written_is_read() {
    let mut register = Register::default();
    push(&mut register, GOOD);
    let root = register.good(OTHER, NEXT, 0, 7);
    register.beat(Root { beat: 3, is_busy: true, ..root }, &[]);
    assert!(matches!(tried(&mut register, 5, BAD), Judgement::Passes(_)));
    assert!(matches!(tried(&mut register, SHOP, BAD), Judgement::Refused { has_older: true }));
    register.show(true);
    assert_eq!(Register::decode(&register.encode()), register);
    assert_eq!(register.bound(), 7);
    // Anybody may write there: what makes no sense is nothing.
    for nonsense in [&b"nonsense"[..], &[0xff; 4000], b"", &register.encode()[1..]] {
        assert_eq!(Register::decode(nonsense), Register::default());
    }
    let shared = register.encode();
    assert_eq!(Register::decode(&shared[..shared.len() - 1]).roots().len(), register.roots().len() - 1);
}

#[test]
fn a_bad_policy_is_refused_while_a_good_one_is_in_force() {
    let mut register = Register::default();
    assert!(matches!(tried(&mut register, SHOP, BAD), Judgement::Passes(_)), "there is none");
    let mut register = Register::default();
    let [canary, main, worker] = push(&mut register, GOOD);
    assert_eq!(tried(&mut register, SHOP, BAD), Judgement::Refused { has_older: true });
    assert!(register.is_rejected());
    assert!(matches!(tried(&mut register, OTHER, BAD), Judgement::Passes(_)), "that is another plugin");
    // It is removed. The VM in which it was tried says nothing as it goes.
    let mut early = register.clone();
    beat(&mut register, main);
    beat(&mut register, worker);
    register.release(main.id);
    assert_eq!(tried(&mut register, SHOP, BAD), Judgement::Refused { has_older: true });
    register.release(worker.id);
    assert!(matches!(tried(&mut register, SHOP, BAD), Judgement::Passes(_)));
    // So early that nobody knows yet who was only tried.
    early.release(main.id);
    early.release(worker.id);
    assert_eq!(tried(&mut early, SHOP, BAD), Judgement::Refused { has_older: true });
    early.release(canary.id);
    assert!(matches!(tried(&mut early, SHOP, BAD), Judgement::Passes(_)));
}

/// The last worker loads both policies in one go, and then lets the first one go.
#[test]
fn who_goes_speaks_for_nobody_else() {
    let mut register = Register::default();
    let [_, main, worker] = push(&mut register, GOOD);
    let [_, next, _] = push(&mut register, NEXT);
    register.release(main.id);
    let late = [register.good(SHOP, GOOD, 0, 0), register.good(SHOP, NEXT, 0, 0)];
    register.release(worker.id);
    register.release(late[0].id);
    assert_eq!(register.in_force(SHOP), Some(NEXT));
    assert_eq!(tried(&mut register, SHOP, BAD), Judgement::Refused { has_older: true });
    register.release(next.id);
    register.release(late[1].id);
    assert_eq!(tried(&mut register, SHOP, BAD), Judgement::Refused { has_older: true }, "a worker is left");
}

#[test]
fn the_dead_are_found_by_counting() {
    let mut register = Register::default();
    let [canary, mut main, worker] = push(&mut register, GOOD);
    let mut other = register.good(OTHER, GOOD, 0, 0);
    let mut watchers = [Watcher::default(), Watcher::default()];
    // The worker has crashed, and nobody was told of the canary.
    for round in 0..10 {
        for (root, watcher) in [&mut main, &mut other].into_iter().zip(&mut watchers) {
            let dead = watcher.look(&register, root.id);
            root.beat += 1;
            register.beat(*root, &dead);
        }
        let left: Vec<u64> = register.roots().iter().map(|root| root.id).collect();
        let all = [canary.id, main.id, worker.id, other.id];
        let expected: &[u64] = if round < 4 { &all } else { &[main.id, other.id] };
        assert_eq!(left, expected, "round {round}");
    }
    // The plugin goes; another one lives. So does a record of a VM that has crashed.
    let crashed = register.good(SHOP, GOOD, 0, 0);
    register.release(main.id);
    assert_eq!(register.in_force(SHOP), Some(GOOD));
    for _ in 0..5 {
        let dead = watchers[1].look(&register, other.id);
        other.beat += 1;
        register.beat(other, &dead);
    }
    assert!(!register.roots().iter().any(|root| root.id == crashed.id));
    assert_eq!(register.in_force(SHOP), None);
    assert!(matches!(tried(&mut register, SHOP, BAD), Judgement::Passes(_)));
}

/// A proxy that was stopped finds everybody as they were, whoever wakes first.
#[test]
fn nobody_dies_of_a_pause() {
    let mut register = Register::default();
    let [_, main, worker] = push(&mut register, GOOD);
    let mut watcher = Watcher::default();
    for beats in 1..50 {
        register.beat(Root { beat: beats, ..worker }, &[]);
        let dead = watcher.look(&register, main.id);
        register.beat(Root { beat: beats, ..main }, &dead);
    }
    assert!(register.roots().iter().any(|root| root.id == worker.id));
    // One that was taken for dead and is not says so.
    register.release(worker.id);
    register.release(main.id);
    register.beat(Root { beat: 50, ..worker }, &[]);
    assert_eq!(register.in_force(SHOP), Some(GOOD));
}

#[test]
fn the_gauge_says_what_the_last_policy_of_any_plugin_is() {
    let mut register = Register::default();
    let [_, main, _] = push(&mut register, GOOD);
    let other = register.good(OTHER, GOOD, 0, 0);
    tried(&mut register, SHOP, BAD);
    // Neither another plugin nor a worker that is late mends it, nor a VM that restarts.
    register.good(OTHER, NEXT, 0, 0);
    register.good(SHOP, GOOD, 0, 0);
    let main = beat(&mut register, main);
    assert!(register.is_rejected());
    // Another policy does.
    let [.., worker] = push(&mut register, NEXT);
    assert!(!register.is_rejected());
    assert_eq!(register.in_force(SHOP), Some(NEXT));
    // A worker that is late with the one before does not, and is not in force.
    tried(&mut register, SHOP, BAD);
    let late = register.good(SHOP, GOOD, 0, 0);
    register.release(main.id);
    assert!(register.is_rejected());
    assert_eq!(register.in_force(SHOP), Some(NEXT));
    // One that had come to the one in force does.
    let mut taken = register.clone();
    taken.good(SHOP, GOOD, worker.id, 0);
    assert!(!taken.is_rejected() && taken.in_force(SHOP) == Some(GOOD));
    register.release(late.id);
    beat(&mut register, worker);
    beat(&mut register, other);
    assert!(register.is_rejected());
    // It is as old as the plugin at most.
    let all: Vec<Root> = register.roots().iter().filter(|root| root.plugin == SHOP).copied().collect();
    all.iter().for_each(|root| register.release(root.id));
    assert!(!register.is_rejected());
}

/// The same policy with another module: nobody serves one from before the rejection.
#[test]
fn a_policy_that_is_known_mends_once_the_older_ones_are_gone() {
    let mut register = Register::default();
    let before = push(&mut register, GOOD);
    tried(&mut register, SHOP, BAD);
    let [_, after, _] = push(&mut register, GOOD);
    assert!(register.is_rejected());
    let [canary, main, worker] = before;
    // A stream is open yet: its root context lives for it alone.
    register.beat(Root { beat: 1, is_busy: true, ..worker }, &[]);
    register.release(main.id);
    register.release(canary.id);
    beat(&mut register, after);
    assert!(!register.is_rejected());
}

#[test]
fn a_first_bad_policy_is_told_until_it_is_mended_or_gone() {
    let mut register = Register::default();
    let taken = |judged| match judged {
        Judgement::Passes(root) | Judgement::Holds(root) => root,
        Judgement::Refused { .. } => panic!("it was refused"),
    };
    let roots = [0; 3].map(|_| taken(tried(&mut register, SHOP, BAD)));
    assert!(register.is_rejected());
    let [canary, main, worker] = roots;
    let (main, worker) = (beat(&mut register, main), Root { beat: 1, is_busy: true, ..worker });
    register.beat(worker, &[]);
    // A good one elsewhere changes nothing.
    register.good(OTHER, GOOD, 0, 0);
    assert!(register.is_rejected());
    // It is mended; a stream is open yet, and the canary is nobody.
    let goods = push(&mut register, GOOD);
    register.release(main.id);
    assert!(!register.is_rejected());
    // Envoy has taken it once, and does not try it again: what is in force stays so, in a
    // VM that has had others and in one that has just been restarted.
    let again = taken(register.bad(SHOP, BAD, false, false));
    assert!(matches!(register.bad(SHOP, BAD, true, false), Judgement::Holds(_)));
    assert!(register.is_rejected());
    goods.iter().chain([&canary, &worker]).for_each(|root| register.release(root.id));
    assert!(register.is_rejected());
    assert_eq!(register.in_force(SHOP), Some(GOOD), "for as long as the plugin lives");
    assert_eq!(tried(&mut register, SHOP, 99), Judgement::Refused { has_older: true });
    let left: Vec<u64> = register.roots().iter().map(|root| root.id).collect();
    assert!(left.contains(&again.id));
    left.into_iter().for_each(|id| register.release(id));
    assert!(!register.is_rejected() && register.in_force(SHOP).is_none());
}

#[test]
fn who_must_not_pass_is_refused_whatever_there_is() {
    let mut register = Register::default();
    assert_eq!(register.bad(SHOP, BAD, false, true), Judgement::Refused { has_older: false });
    // It has no root context: only a policy of the same plugin says more.
    let other = register.good(OTHER, GOOD, 0, 0);
    beat(&mut register, other);
    assert!(register.is_rejected());
    let [canary, main, worker] = push(&mut register, GOOD);
    assert!(!register.is_rejected());
    assert_eq!(register.bad(SHOP, BAD, false, true), Judgement::Refused { has_older: true });
    assert!(register.is_rejected());
    for root in [canary, main, worker] {
        register.release(root.id);
    }
    assert!(!register.is_rejected());
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut register = Register::default();
    for plugin in 0..3000 {
        register.bad(plugin, BAD, true, true);
    }
    for _ in 0..10_000 {
        register.good(SHOP, GOOD, 0, 0);
    }
    register.good(OTHER, GOOD, 0, 0);
    assert!(register.encode().len() <= (1 + 1024 + 4096) * 40);
    assert_eq!(register.in_force(OTHER), Some(GOOD));
    assert_eq!(register.in_force(SHOP), Some(GOOD));
}
