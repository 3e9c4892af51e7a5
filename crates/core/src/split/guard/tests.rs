//! Tests of the guard.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Outcome::{Absent, Served, Unknown};
use super::{Absence, Admission, Guard, Guards, ONE_IN, Rule};
use crate::tree::Tree;

const COOLDOWN: u64 = 30_000;

#[test]
fn off_for_the_cooldown_then_one_in_ten_until_one_is_served() {
    let mut guard = Guard::default();
    assert_eq!(guard.admits(), Admission::Open);
    guard.absent(seen_at(1_000));
    for now in [1_000, 2_000, 30_999] {
        guard.advance(COOLDOWN, now);
        assert_eq!(guard.admits(), Admission::Refused, "{now}");
    }
    guard.advance(COOLDOWN, 31_000);
    for round in 0..3 {
        assert_eq!(guard.admits(), Admission::Try, "{round}");
        for _ in 1..ONE_IN {
            assert_eq!(guard.admits(), Admission::Refused, "{round}");
        }
        guard.advance(COOLDOWN, 32_000);
    }
    // A try that fails is a rest again.
    assert_eq!(guard.admits(), Admission::Try);
    guard.absent(seen_at(33_000));
    guard.advance(COOLDOWN, 62_999);
    assert_eq!(guard.admits(), Admission::Refused);
    guard.advance(COOLDOWN, 63_000);
    assert_eq!(guard.admits(), Admission::Try);
    guard.back();
    for _ in 0..30 {
        assert_eq!(guard.admits(), Admission::Open);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_switch_off_for_years() {
    let mut guard = Guard::Off(seen_at(1_800_000_000_000));
    guard.advance(COOLDOWN, 1_000);
    assert_eq!(guard.admits(), Admission::Try);
}

#[test]
fn only_a_try_or_a_probe_proves_that_it_is_back() {
    let guards = guards(r"{}");
    assert_eq!(guards.observe(0, Served, false, 1), None);
    assert_eq!(guards.observe(0, Absent, false, 2).unwrap().value, 1);
    // A long request from before.
    assert_eq!(guards.observe(0, Served, false, 3), None);
    assert_eq!(guards.admits(0), Admission::Refused);
    // A try that did not get there leaves everything as it was.
    assert_eq!(guards.observe(0, Unknown, true, 3), None);
    assert_eq!(guards.admits(0), Admission::Refused);
    assert_eq!(guards.observe(0, Served, true, 4).unwrap().value, 0);
    assert_eq!(guards.admits(0), Admission::Open);
}

#[test]
fn the_vms_of_a_proxy_hear_from_each_other() {
    let [one, other] = [(); 2].map(|()| guards(r#"{"cooldown": "2s"}"#));
    one.observe(0, Absent, false, 1_000);
    assert!(one.has_news());
    let shared = one.tell(&[], 1_000);
    one.told();
    assert!(!one.has_news());
    assert_eq!(other.hear(&shared, 1_500).first().map(|m| (m.series, m.value)), Some((7, 1)));
    assert_eq!(other.hear(&shared, 1_600), []);
    assert_eq!(other.admits(0), Admission::Refused);
    assert_eq!(one.hear(&shared, 1_700), []);
    // Time passes for both; the other one tries first, and finds it there.
    for guards in [&one, &other] {
        assert_eq!(guards.hear(&shared, 3_000), []);
    }
    assert_eq!(other.admits(0), Admission::Try);
    assert_eq!(other.observe(0, Served, true, 3_100).map(|m| m.value), Some(0));
    let shared = other.tell(&shared, 3_100);
    assert!(shared.is_empty());
    assert_eq!(one.hear(&shared, 3_200).first().map(|m| m.value), Some(0));
    assert_eq!(one.admits(0), Admission::Open);
}

#[test]
fn what_one_says_leaves_what_others_say() {
    let one = guards(r"{}");
    let mut many = Guards::default();
    for id in [5, 42, 6] {
        many.watch(id, Rule::default(), 0);
    }
    many.observe(0, Absent, false, 1_000);
    many.observe(2, Absent, false, 1_001);
    let shared = many.tell(&[], 1_001);
    assert_eq!(shared.len(), 32);
    one.observe(0, Absent, false, 1_002);
    let shared = one.tell(&shared, 1_002);
    assert_eq!(shared.len(), 48);
    one.observe(0, Served, true, 1_003);
    assert_eq!(one.tell(&shared, 1_003).len(), 32);
    // Of a policy that is long gone.
    assert_eq!(one.tell(&shared, 1_003 + 3_600_000).len(), 0);
    // Anybody may write there: what makes no sense is nothing.
    assert!(one.tell(b"nonsense", 1_003).is_empty());
    one.told();
    assert_eq!(one.hear(b"nonsense", 1_004), []);
}

#[test]
fn probes_decide_by_themselves() {
    let guards = guards(r#"{"cluster": "c", "every": "2s", "path": "/healthz", "cooldown": "1s"}"#);
    let due = |now| guards.due(now).map(|(place, probe)| (place, probe.path.to_string())).collect::<Vec<_>>();
    assert_eq!(due(10_000), [(0, "/healthz".to_owned())]);
    assert_eq!(due(11_001), []);
    // A tick that comes early, and the next one.
    assert_eq!(due(11_998).len(), 1);
    assert_eq!(due(12_999), []);
    assert_eq!(due(14_000).len(), 1);
    // The clock is set back.
    assert_eq!(due(12_000).len(), 1);
    assert_eq!(guards.probed(0, true, 12_000), None);
    assert!(!guards.has_news());
    assert_eq!(guards.probed(0, false, 12_000).map(|m| m.value), Some(1));
    let shared = guards.tell(&[], 12_000);
    guards.told();
    // No request tries: a probe will say so.
    guards.hear(&shared, 20_000);
    assert_eq!(guards.admits(0), Admission::Refused);
    assert_eq!(guards.probed(0, true, 20_000).map(|m| m.value), Some(0));
    assert_eq!(guards.admits(0), Admission::Open);
}

/// The cluster that is probed is well, but requests do not get there: no route leads to it.
#[test]
fn what_a_request_found_absent_a_probe_does_not_bring_back() {
    let guards = guards(r#"{"cluster": "c", "every": "2s", "cooldown": "5s"}"#);
    let mut lost = 0;
    for second in 1..=60 {
        let now = second * 1_000;
        guards.hear(&guards.tell(&[], now), now);
        if second % 2 == 0 {
            assert_eq!(guards.probed(0, true, now), None, "second {second}");
        }
        for _ in 0..20 {
            let admission = guards.admits(0);
            if admission != Admission::Refused {
                lost += 1;
                guards.observe(0, Absent, admission == Admission::Try, now);
            }
        }
    }
    assert_eq!(lost, 60 / 5, "one for each cooldown");
    // What the probe has seen too, it brings back at once.
    assert_eq!(guards.probed(0, false, 61_000).map(|m| m.value), Some(1));
    guards.hear(&guards.tell(&[], 61_000), 70_000);
    assert_eq!(guards.admits(0), Admission::Refused, "no request tries");
    assert_eq!(guards.probed(0, true, 70_000).map(|m| m.value), Some(0));
    assert_eq!(guards.admits(0), Admission::Open);
}

#[test]
fn a_request_that_has_not_heard_of_it_finds_what_the_probe_has_found() {
    let [one, other] = [(); 2].map(|()| guards(r#"{"cluster": "c", "every": "2s"}"#));
    one.probed(0, false, 1_000);
    let shared = one.tell(&[], 1_000);
    one.told();
    other.observe(0, Absent, false, 1_500);
    let shared = other.tell(&shared, 1_500);
    other.told();
    for guards in [&one, &other] {
        guards.hear(&shared, 2_000);
    }
    // So the next good answer brings it back for both.
    assert_eq!(one.probed(0, true, 3_000).map(|m| m.value), Some(0));
    let shared = one.tell(&shared, 3_000);
    assert_eq!(other.hear(&shared, 3_500).first().map(|m| m.value), Some(0));
    assert_eq!(other.admits(0), Admission::Open);
}

#[test]
fn a_probe_has_its_time_before_a_request_tries() {
    let guards = guards(r#"{"cluster": "c", "every": "10s", "cooldown": "1s"}"#);
    guards.observe(0, Absent, false, 1_000);
    guards.hear(&guards.tell(&[], 1_000), 10_999);
    assert_eq!(guards.admits(0), Admission::Refused);
    guards.hear(&guards.tell(&[], 1_000), 11_000);
    assert_eq!(guards.admits(0), Admission::Try);
}

#[test]
fn who_probes_the_same_has_one_number() {
    let number = |id: u64, rule: &str| {
        let mut guards = Guards::default();
        guards.watch(id, Rule::read(&tree(rule)).unwrap(), 7);
        guards.probes()
    };
    let one = r#"{"cluster": "c", "every": "2s"}"#;
    assert_eq!(number(42, r"{}"), 0);
    assert_eq!(number(42, one), number(42, r#"{"cooldown": "7s", "path": "/", "cluster": "c"}"#));
    let others = [(43, one), (42, r#"{"cluster": "d"}"#), (42, r#"{"cluster": "c", "every": "3s"}"#)];
    for (id, rule) in others.into_iter().chain([(42, r#"{"cluster": "c", "path": "/b"}"#)]) {
        assert_ne!(number(42, one), number(id, rule), "{id} {rule}");
    }
}

#[test]
fn passive_can_be_switched_off() {
    let guards = guards(r#"{"passive": false}"#);
    assert_eq!(guards.observe(0, Absent, false, 1), None);
    assert_eq!(guards.admits(0), Admission::Open);
}

#[test]
fn a_guard_that_cannot_work_is_refused() {
    for (written, fault) in [
        (r#"{"every": "2s"}"#, "NRW103"),
        (r#"{"path": "/"}"#, "NRW103"),
        (r#"{"cluster": ""}"#, "cluster: the cluster has no name"),
        (r#"{"cluster": "c", "path": "healthz"}"#, "NRW505"),
        (r#"{"cluster": "c", "every": "10ms"}"#, "every: \"10ms\" is not a duration of 1000ms to 3600000ms"),
        (r#"{"cooldown": 30}"#, "NRW102"),
        (r#"{"cooldown": "30"}"#, "NRW108"),
        (r#"{"cooldown": "99999999999999999999s"}"#, "NRW108"),
        (r#"{"cool": "1s"}"#, "NRW101"),
    ] {
        let fault_found = Rule::read(&tree(written)).unwrap_err().to_string();
        assert!(fault_found.contains(fault), "{written}: {fault_found}");
    }
}

fn seen_at(since: u64) -> Absence {
    Absence { since, probed: false }
}

fn guards(rule: &str) -> Guards {
    let mut guards = Guards::default();
    guards.watch(42, Rule::read(&tree(rule)).unwrap(), 7);
    guards
}

fn tree(text: &str) -> Tree {
    Tree::parse(text.as_bytes()).unwrap()
}
