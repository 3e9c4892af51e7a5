//! Tests of the guard.

mod sharing;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::Outcome::{self, Absent, Served, Unknown};
use super::{Absence, Admission, Guard, Guards, ONE_IN, Rule};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::policy::series::Measurement;

const COOLDOWN: u64 = 30_000;
const STABLE: &[u8] = b"outbound|8080||stock.books.svc.cluster.local";

#[test]
fn off_for_the_cooldown_then_one_in_ten_until_one_is_served() {
    let mut guard = Guard::default();
    assert_eq!(guard.admits(), Admission::Serving);
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
        assert_eq!(guard.admits(), Admission::Serving);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_switch_off_for_years() {
    let mut guard = Guard::Ejected(seen_at(1_800_000_000_000));
    guard.advance(COOLDOWN, 1_000);
    assert_eq!(guard.admits(), Admission::Try);
}

#[test]
fn only_a_try_or_a_probe_proves_that_it_is_back() {
    let guards = guards(r"{}");
    assert_eq!(guards.saw(8080, Served, false, 1), None);
    assert_eq!(guards.saw(8080, Absent, false, 2), Some(1));
    // A long request from before.
    assert_eq!(guards.saw(8080, Served, false, 3), None);
    assert_eq!(guards.admits(0, 8080), Admission::Refused);
    // A try that did not get there leaves everything as it was.
    assert_eq!(guards.saw(8080, Unknown, true, 3), None);
    assert_eq!(guards.admits(0, 8080), Admission::Refused);
    assert_eq!(guards.saw(8080, Served, true, 4), Some(0));
    assert_eq!(guards.admits(0, 8080), Admission::Serving);
}

#[test]
fn each_port_by_itself_and_one_gauge_for_all() {
    let guards = guards(r#"{"cooldown": "2s"}"#);
    assert_eq!(guards.saw(9090, Absent, false, 1_000), Some(1));
    for _ in 0..20 {
        assert_eq!(guards.admits(0, 9090), Admission::Refused);
        assert_eq!(guards.admits(0, 8080), Admission::Serving);
        assert_eq!(guards.admits(0, 0), Admission::Serving);
    }
    assert_eq!(guards.saw(8080, Absent, false, 1_500), Some(1));
    assert_eq!(guards.second(3_500), []);
    assert_eq!(guards.admits(0, 8080), Admission::Try);
    assert_eq!(guards.saw(8080, Served, true, 3_600), Some(1), "the other port is still off");
    assert_eq!(guards.admits(0, 9090), Admission::Try);
    assert_eq!(guards.saw(9090, Served, true, 3_700), Some(0));
}

/// A client may write any port: no more than so many are kept, and the gauge does not wait
/// for one that nobody asks for again.
#[test]
fn ports_that_only_one_client_asks_for() {
    let guards = guards(r#"{"cooldown": "2s"}"#);
    for port in 1..=60_000 {
        guards.saw(port, Absent, false, 1_000);
    }
    assert_eq!(guards.watched[0].ports_known(), limits::GUARDED_PORTS + 1);
    assert_eq!(guards.admits(0, 60_000), Admission::Refused, "those without room are one");
    assert_eq!(guards.admits(0, 0), Admission::Serving, "who writes no port is not among them");
    let shared = guards.publish(&[], 1_000);
    assert_eq!(shared.len(), 16 * (limits::GUARDED_PORTS + 1));
    guards.saw(0, Absent, false, 1_000);
    assert_eq!(guards.admits(0, 0), Admission::Refused);
    assert_eq!(guards.watched[0].ports_known(), limits::GUARDED_PORTS + 2);
    guards.saw(0, Served, true, 1_000);
    assert_eq!(guards.admits(0, 0), Admission::Serving);
    guards.published();
    guards.merge(&shared, 4_000);
    assert_eq!(guards.gauge(), 1);
    guards.merge(&shared, 603_000);
    assert_eq!((guards.gauge(), guards.is_dirty()), (0, true));
    assert!(guards.publish(&shared, 603_000).is_empty());
    guards.published();
    guards.merge(&[], 604_000);
    assert_eq!(guards.watched[0].ports_known(), 0);
}

#[test]
fn probes_decide_by_themselves() {
    let guards = guards(r#"{"cluster": "c", "every": "2s", "path": "/healthz", "cooldown": "1s"}"#);
    let due = |now| guards.due(now).map(|(index, probe)| (index, probe.path.to_string())).collect::<Vec<_>>();
    assert_eq!(due(10_000), [(0, "/healthz".to_owned())]);
    assert_eq!(due(11_001), []);
    // A tick that comes early, and the next one.
    assert_eq!(due(11_998).len(), 1);
    assert_eq!(due(12_999), []);
    assert_eq!(due(14_000).len(), 1);
    // The clock is set back.
    assert_eq!(due(12_000).len(), 1);
    assert_eq!(guards.probed(0, true, 12_000), None);
    assert!(!guards.is_dirty());
    assert_eq!(guards.probed(0, false, 12_000).map(|m| m.value), Some(1));
    let shared = guards.publish(&[], 12_000);
    guards.published();
    // No request tries, at any port: a probe will say so.
    guards.merge(&shared, 20_000);
    for port in [0, 8080, 9090] {
        assert_eq!(guards.admits(0, port), Admission::Refused);
    }
    assert_eq!(guards.probed(0, true, 20_000).map(|m| m.value), Some(0));
    assert_eq!(guards.admits(0, 8080), Admission::Serving);
}

#[test]
fn a_good_probe_ends_what_a_request_found() {
    let guards = guards(r#"{"cluster": "c", "every": "2s"}"#);
    assert_eq!(guards.saw(8080, Absent, false, 1_000), Some(1));
    assert_eq!(guards.probed(0, true, 2_000).map(|m| m.value), Some(0));
    assert_eq!(guards.admits(0, 8080), Admission::Serving);
    // Long after, a second time.
    assert_eq!(guards.saw(8080, Absent, false, 60_000), Some(1));
    assert_eq!(guards.probed(0, true, 61_000).map(|m| m.value), Some(0));
}

/// The cluster that is probed is well, but requests do not get there: no route leads to it.
#[test]
fn a_route_that_is_missing_costs_no_request_for_each_good_probe() {
    let guards = guards(r#"{"cluster": "c", "every": "2s", "cooldown": "5s"}"#);
    let mut lost = Vec::new();
    for second in 1..=60 {
        let now = second * 1_000;
        guards.second(now);
        if second % 2 == 0 {
            guards.probed(0, true, now);
        }
        for _ in 0..20 {
            let admission = guards.admits(0, 8080);
            if admission != Admission::Refused {
                lost.push(second);
                guards.saw(8080, Absent, admission == Admission::Try, now);
            }
        }
    }
    // Found, ended by the first probe, found again: from then on one for each cooldown.
    assert_eq!(lost, [1, 2, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57]);
    // The route is there: the next try finds it, and all is as at the beginning.
    guards.second(62_000);
    assert_eq!(guards.admits(0, 8080), Admission::Try);
    assert_eq!(guards.saw(8080, Served, true, 62_000), Some(0));
    assert_eq!(guards.saw(8080, Absent, false, 63_000), Some(1));
    assert_eq!(guards.probed(0, true, 64_000).map(|m| m.value), Some(0));
}

/// What a probe of port 8080 says is no word about port 9090, where Istio's names tell them apart.
#[test]
fn a_good_probe_says_nothing_of_another_port() {
    let guards =
        guards(r#"{"cluster": "outbound|8080||stock-canary.books.svc.cluster.local", "every": "2s"}"#);
    let other = b"outbound|9090||stock.books.svc.cluster.local";
    assert!(guards.observe(0, 9090, Absent, false, other, 1_000).is_some());
    assert!(guards.observe(0, 8080, Absent, false, STABLE, 1_000).is_some());
    assert_eq!(guards.probed(0, true, 2_000).map(|m| m.value), Some(1));
    assert_eq!((guards.admits(0, 8080), guards.admits(0, 9090)), (Admission::Serving, Admission::Refused));
}

#[test]
fn a_probe_has_its_time_before_a_request_tries() {
    let guards = guards(r#"{"cluster": "c", "every": "10s", "cooldown": "1s"}"#);
    guards.saw(8080, Absent, false, 1_000);
    guards.second(10_999);
    assert_eq!(guards.admits(0, 8080), Admission::Refused);
    guards.second(11_000);
    assert_eq!(guards.admits(0, 8080), Admission::Try);
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
    assert_eq!(guards.saw(8080, Absent, false, 1), None);
    assert_eq!(guards.admits(0, 8080), Admission::Serving);
}

#[test]
fn a_guard_that_cannot_work_is_refused() {
    for (written, fault) in [
        (r#"{"every": "2s"}"#, "NRW103"),
        (r#"{"path": "/"}"#, "NRW103"),
        (r#"{"cluster": ""}"#, "cluster: the name of the cluster is empty"),
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

impl Guards {
    /// What a request to a port of the one backend saw; the gauge, if it was set.
    fn saw(&self, port: u16, outcome: Outcome, tried: bool, now: u64) -> Option<u64> {
        self.observe(0, port, outcome, tried, STABLE, now).map(|measured| measured.value)
    }

    /// A tick of the only VM.
    fn second(&self, now: u64) -> Vec<Measurement> {
        let shared = self.publish(&self.all(), now);
        self.published();
        self.merge(&shared, now)
    }

    /// What this VM would publish if nothing had been published.
    fn all(&self) -> Vec<u8> {
        let all = self.clone();
        all.watched.iter().for_each(super::Watched::publish_again);
        all.publish(&[], 0)
    }

    fn gauge(&self) -> u64 {
        self.gauges()[0].value
    }
}

fn seen_at(since: u64) -> Absence {
    Absence { since, held: false }
}

fn guards(rule: &str) -> Guards {
    let mut guards = Guards::default();
    guards.watch(42, Rule::read(&tree(rule)).unwrap(), 7);
    guards
}

fn tree(text: &str) -> PolicyValue {
    PolicyValue::parse(text.as_bytes()).unwrap()
}
