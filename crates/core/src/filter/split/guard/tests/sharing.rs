//! What the VMs of a proxy share.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Outcome::{Absent, Served};
use super::super::{Admission, Guards, Rule};
use super::{STABLE, guards};

#[test]
fn the_vms_of_a_proxy_hear_from_each_other() {
    let [one, other] = [(); 2].map(|()| guards(r#"{"cooldown": "2s"}"#));
    one.saw(8080, Absent, false, 1_000);
    assert!(one.is_dirty());
    let shared = one.publish(&[], 1_000);
    one.published();
    assert!(!one.is_dirty());
    assert_eq!(other.merge(&shared, 1_500).first().map(|m| (m.series, m.value)), Some((7, 1)));
    assert_eq!(other.merge(&shared, 1_600), []);
    assert_eq!(other.admits(0, 8080), Admission::Refused);
    assert_eq!(other.admits(0, 9090), Admission::Serving);
    assert_eq!(one.merge(&shared, 1_700), []);
    // Time passes for both. The one that found it tries first, the other two ticks later.
    for guards in [&one, &other] {
        assert_eq!(guards.merge(&shared, 3_000), []);
    }
    assert_eq!(one.admits(0, 8080), Admission::Try);
    assert_eq!(other.admits(0, 8080), Admission::Refused);
    assert_eq!(other.merge(&shared, 4_999), []);
    assert_eq!(other.admits(0, 8080), Admission::Refused);
    assert_eq!(other.merge(&shared, 5_000), []);
    assert_eq!(other.admits(0, 8080), Admission::Try);
    assert_eq!(other.saw(8080, Served, true, 5_100), Some(0));
    let shared = other.publish(&shared, 5_100);
    assert!(shared.is_empty());
    assert_eq!(one.merge(&shared, 5_200).first().map(|m| m.value), Some(0));
    assert_eq!(one.admits(0, 8080), Admission::Serving);
}

#[test]
fn what_one_says_leaves_what_others_say() {
    let one = guards(r"{}");
    let mut many = Guards::default();
    for id in [5, 42, 6] {
        many.watch(id, Rule::default(), 0);
    }
    many.observe(0, 0, Absent, false, STABLE, 1_000);
    many.observe(2, 0, Absent, false, STABLE, 1_001);
    let shared = many.publish(&[], 1_001);
    assert_eq!(shared.len(), 32);
    one.saw(0, Absent, false, 1_002);
    one.saw(65_535, Absent, false, 1_002);
    let shared = one.publish(&shared, 1_002);
    assert_eq!(shared.len(), 64);
    one.saw(0, Served, true, 1_003);
    one.saw(65_535, Served, true, 1_003);
    assert_eq!(one.publish(&shared, 1_003).len(), 32);
    // Of a policy that is long gone.
    assert_eq!(one.publish(&shared, 1_003 + 3_600_000).len(), 0);
    // Anybody may write there: what makes no sense is nothing.
    assert!(one.publish(b"nonsense", 1_003).is_empty());
    one.published();
    assert_eq!(one.merge(b"nonsense", 1_004), []);
}

#[test]
fn a_request_that_has_not_heard_of_it_finds_what_the_probe_has_found() {
    let [one, other] = [(); 2].map(|()| guards(r#"{"cluster": "c", "every": "2s"}"#));
    one.probed(0, false, 1_000);
    let shared = one.publish(&[], 1_000);
    one.published();
    other.saw(8080, Absent, false, 1_500);
    let shared = other.publish(&shared, 1_500);
    other.published();
    for guards in [&one, &other] {
        guards.merge(&shared, 2_000);
    }
    // So the next good answer brings it back for both.
    assert_eq!(one.probed(0, true, 3_000).map(|m| m.value), Some(0));
    let shared = one.publish(&shared, 3_000);
    assert_eq!(other.merge(&shared, 3_500).first().map(|m| m.value), Some(0));
    assert_eq!(other.admits(0, 8080), Admission::Serving);
}

/// One VM probes; another one's requests find that no route leads there.
#[test]
fn a_dispute_is_one_in_all_vms() {
    let [asks, finds] = [(); 2].map(|()| guards(r#"{"cluster": "c", "every": "2s", "cooldown": "10s"}"#));
    let mut shared = Vec::new();
    let mut lost = Vec::new();
    for second in 1..=40 {
        let now = second * 1_000;
        for guards in [&asks, &finds] {
            shared = guards.publish(&shared, now);
            guards.published();
            guards.merge(&shared, now);
        }
        if second % 2 == 0 {
            asks.probed(0, true, now);
        }
        for _ in 0..20 {
            let admission = finds.admits(0, 8080);
            if admission != Admission::Refused {
                lost.push(second);
                finds.saw(8080, Absent, admission == Admission::Try, now);
            }
        }
    }
    // It is published at ticks alone here, so that the one that asks reads of it two seconds later.
    assert_eq!(lost, [1, 5, 15, 25, 35], "twice, then once for each cooldown");
}

fn tick(vm: &Guards, shared: &mut Vec<u8>, now: u64) {
    if vm.is_dirty() {
        *shared = vm.publish(shared, now);
        vm.published();
    }
    vm.merge(shared, now);
}

fn ask(vm: &Guards, port: u16, outcome: crate::filter::split::guard::Outcome, now: u64) {
    let admission = vm.admits(0, port);
    if admission != Admission::Refused {
        vm.saw(port, outcome, admission == Admission::Try, now);
    }
}

/// Whatever happens in whatever order, when all is well again every VM finds it so, at every
/// port; and while a port is off, its gauge says it.
#[test]
fn nothing_stays_off_for_good() {
    const RULES: [&str; 3] = [
        r#"{"cooldown": "2s"}"#,
        r#"{"cluster": "c", "every": "2s", "cooldown": "5s"}"#,
        r#"{"cluster": "c"}"#,
    ];
    const PORTS: [u16; 3] = [0, 8080, 9090];
    for seed in 0..300_u64 {
        let mut drawn = 0;
        let mut below = |limit: u64| {
            drawn += 1;
            crate::order::hash_of(&seed.to_le_bytes(), &u64::to_le_bytes(drawn)) % limit
        };
        let rule = RULES[usize::try_from(below(3)).unwrap()];
        let vms = [(); 3].map(|()| guards(rule));
        let (mut shared, mut now) = (Vec::new(), 1_000_000);
        for _ in 0..200 {
            let vm = &vms[usize::try_from(below(3)).unwrap()];
            let port = PORTS[usize::try_from(below(3)).unwrap()];
            match below(8) {
                0 | 1 => ask(vm, port, Absent, now),
                2 | 3 => ask(vm, port, Served, now),
                4 if rule.contains("cluster") => _ = vm.probed(0, below(2) == 0, now),
                // Clocks jump, forth and back.
                5 if below(20) == 0 => now = now.saturating_sub(below(100_000)) + below(100_000),
                _ => {
                    now += below(1_500);
                    tick(vm, &mut shared, now);
                }
            }
            for vm in &vms {
                let is_off = PORTS.iter().any(|port| vm.clone().admits(0, *port) != Admission::Serving);
                assert!(vm.gauge() == 1 || !is_off, "seed {seed}: off, and the gauge is 0");
            }
        }
        // All is well: every request is served, every probe answered.
        for _ in 0..200 {
            now += 1_000;
            for vm in &vms {
                tick(vm, &mut shared, now);
                PORTS.iter().for_each(|port| ask(vm, *port, Served, now));
            }
            if rule.contains("cluster") {
                vms[0].probed(0, true, now);
            }
        }
        for (index, vm) in vms.iter().enumerate() {
            for port in PORTS {
                assert_eq!(
                    vm.admits(0, port),
                    Admission::Serving,
                    "seed {seed}: {rule}, VM {index}, port {port}"
                );
            }
            assert_eq!(vm.gauge(), 0, "seed {seed}");
        }
        assert!(shared.is_empty(), "seed {seed}: {shared:?}");
    }
}
