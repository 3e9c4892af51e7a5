//! Of the table of unlisted destinations.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Outbound;
use super::{Egress, compile};
use crate::filter::egress::learn::{Learning, Table};

fn learning(max_hosts: usize) -> Egress {
    compile(&format!(r#"{{"learn": {{"maxHosts": {max_hosts}, "logEvery": "10s"}}}}"#)).unwrap()
}

/// What a worker has seen: GETs of these hosts, at this time.
fn seen<'h>(hosts: impl IntoIterator<Item = &'h str>, now: u64) -> Table {
    let mut table = Table::default();
    for host in hosts {
        table.note(host.as_bytes(), b"GET", now);
    }
    table
}

/// What becomes of what is shared when a worker shares this: the lines that are reported.
fn share(shared: &mut Table, new: &Table, now: u64, learning: &Learning) -> Vec<String> {
    shared.merge(new, learning);
    let lines = shared.report(now, learning);
    shared.forget(now, learning);
    assert!(shared.hosts() <= 1000);
    *shared = Table::decode(&shared.encode());
    lines
}

/// The policy at the end of a line.
fn policy(line: &str) -> &str {
    line.split_once("them: ").unwrap().1
}

#[test]
fn tables_are_bounded_merged_and_told() {
    let policy_of = learning(2);
    let learning = policy_of.learning().unwrap();
    let (mut one, mut two) = (Table::default(), Table::default());
    one.note(b"b.example", b"GET", 5_000);
    one.note(b"b.example", b"GET", 6_000);
    one.note(b"a.example", b"POST", 7_000);
    two.note(b"b.example", b"BREW", 4_000);

    let mut shared = Table::decode(b"");
    assert_eq!(
        shared.merge(&one, learning),
        [(b"a.example".as_slice().into(), 1), (b"b.example".as_slice().into(), 2)]
    );
    assert_eq!(shared.merge(&two, learning), [(b"b.example".as_slice().into(), 1)]);
    assert_eq!((shared.hosts(), shared.dropped()), (2, 0));
    let bytes = shared.encode();
    let mut shared = Table::decode(&bytes);
    assert_eq!(shared.encode(), bytes);

    let due = |shared: &Table, now| Table::is_due(&shared.encode(), now, learning);
    assert_eq!((shared.report(9_999, learning), due(&shared, 9_999)), (vec![], false));
    assert!(due(&shared, 20_000));
    let lines = shared.report(20_000, learning);
    assert_eq!(
        lines,
        [
            "2 unlisted destinations, 2 asked for since the last line: b.example (GET 2, OTHER 1, first 4, last 6), \
         a.example (POST 1, first 7, last 7); a policy that allows them: \
         {\"filter\":\"egress-policy\",\"default\":\"deny\",\"rules\":[\
         {\"name\":\"learned-1\",\"action\":\"allow\",\"to\":{\"hosts\":[\"b.example\"]}},\
         {\"name\":\"learned-2\",\"action\":\"allow\",\"to\":{\"hosts\":[\"a.example\"],\"methods\":[\"POST\"]}}]}"
        ]
    );
    compile(policy(&lines[0])).unwrap();
    // Nothing new, no line.
    assert_eq!((shared.report(60_000, learning), due(&shared, 60_000)), (vec![], false));
}

#[test]
fn a_workers_own_table_is_bounded() {
    let mut own = Table::default();
    let full: Vec<bool> =
        (0..70).map(|n| own.note(format!("{n}.example").as_bytes(), b"GET", 1_000)).collect();
    assert_eq!(full.iter().position(|full| *full), Some(49));
    assert_eq!((own.hosts(), own.dropped()), (50, 20));
    // What is known already finds room.
    own.note(b"0.example", b"GET", 1_000);
    assert_eq!(own.dropped(), 20);
}

#[test]
fn junk_hides_nothing() {
    // Twenty-five new hosts before each of fifteen tries, as fast as a worker shares them.
    let policy_of = learning(20);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    let mut told = std::collections::BTreeMap::new();
    for round in 0..15u64 {
        let now = 1_000_000 + round * 1_300;
        let hosts: Vec<String> = (0..25).map(|n| format!("junk-{round}-{n}.example")).collect();
        let new = seen(hosts.iter().map(String::as_str).chain(["evil-1.example"]), now);
        for line in share(&mut shared, &new, now, learning) {
            compile(policy(&line)).unwrap();
            for host in line.split("(GET").filter_map(|part| part.trim().rsplit(' ').next()) {
                *told.entry(host.to_owned()).or_insert(0) += 1;
            }
        }
        assert!(shared.hosts() <= 20);
    }
    assert!(told.contains_key("evil-1.example"), "{told:?}");
    // Every one that was forgotten was reported, and of none it is said that it was not.
    assert_eq!(shared.dropped(), 0);
    assert!(told.len() + 20 > 15 * 25, "{}", told.len());
}

#[test]
fn what_is_shared_is_read_as_it_was_written() {
    let policy_of = learning(20);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    for round in 0..15u64 {
        let now = 1_795_000_000_000 + round * 50;
        let hosts: Vec<String> = (0..25).map(|n| format!("junk-{round}-{n}.example")).collect();
        shared.merge(&seen(hosts.iter().map(String::as_str).chain(["evil-1.example"]), now), learning);
        shared.report(now, learning);
        assert_eq!(Table::decode(&shared.encode()), shared);
        shared.forget(now, learning);
        assert_eq!(Table::decode(&shared.encode()), shared);
    }
}

#[test]
fn what_no_line_has_room_for_goes_by_how_seldom_it_was_asked_for() {
    let policy_of = learning(20);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    let mut lines = 0;
    // More than a minute may be reported: some 24,000 hosts.
    for round in 0..1_000u64 {
        let hosts: Vec<String> = (0..48).map(|n| format!("{round}-{n}.example")).collect();
        let twice = ["evil.example", "evil.example"];
        let new = seen(hosts.iter().map(String::as_str).chain(twice), 60_000 + round);
        lines += share(&mut shared, &new, 60_000 + round, learning).len();
    }
    assert!((300..=301).contains(&lines), "{lines}");
    assert!(shared.dropped() > 10_000);
    // It is still there, and the next line reports it and of what was lost.
    let line = share(&mut shared, &Table::default(), 90_000, learning).pop().unwrap();
    assert!(line.contains("evil.example (GET ") && line.contains("requests to more hosts than"), "{line}");
    // The next minute has lines of its own.
    let hosts: Vec<String> = (0..48).map(|n| format!("next-{n}.example")).collect();
    let new = seen(hosts.iter().map(String::as_str), 121_000);
    assert!(!share(&mut shared, &new, 121_000, learning).is_empty());
}

#[test]
fn a_clock_that_is_set_silences_nothing() {
    const HOUR: u64 = 3_600_000;
    let policy_of = learning(500);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    let mut lines = 0;
    for (step, now) in [20 * HOUR, 19 * HOUR, 19 * HOUR + 10_000, 60 * HOUR, 0].into_iter().enumerate() {
        lines += share(&mut shared, &seen([&*format!("{step}.example")], now), now, learning).len();
    }
    assert_eq!(lines, 5);
}

#[test]
fn private_addresses_are_learnt_too() {
    let policy = compile(
        r#"{"denyPrivateAddresses": true, "learn": {}, "rules": [
            {"name": "dead", "action": "allow", "to": {"hosts": ["192.168.50.10"]}}]}"#,
    )
    .unwrap();
    for (authority, host) in
        [("10.0.0.1:9000", "10.0.0.1"), ("192.168.50.10", "192.168.50.10"), ("localhost", "localhost")]
    {
        let decision = super::decide(&policy, &super::Call { authority, ..super::CALL }).0;
        assert_eq!(decision.unlisted.unwrap().host.as_ref(), host.as_bytes());
    }
    let excepted =
        compile(r#"{"denyPrivateAddresses": {"except": ["10.0.0.0/24"]}, "default": "allow"}"#).unwrap();
    let outcome = |authority| super::outcome(&excepted, &super::Call { authority, ..super::CALL });
    assert_eq!((&*outcome("10.0.0.1"), &*outcome("10.0.1.1")), ("allow default", "deny private-address"));
}

#[test]
fn the_series_are_as_bounded_as_the_table() {
    let policy_of = learning(3);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    let mut series = std::collections::BTreeSet::new();
    let mut requests = 0;
    for round in 0..50 {
        let hosts = [format!("a{round}"), format!("b{round}"), "a0".to_owned()];
        let seen = seen(hosts.iter().map(String::as_str), round);
        let taken = shared.merge(&seen, learning);
        requests += taken.iter().map(|(_, requests)| requests).sum::<u64>();
        series.extend(taken.into_iter().map(|(name, _)| name));
        shared.forget(round, learning);
        shared = Table::decode(&shared.encode());
        assert!(shared.hosts() <= 3);
    }
    assert_eq!(requests, 150);
    assert_eq!(series.len(), 4, "{series:?}");
}

#[test]
fn a_request_that_is_shared_after_a_later_one_was_told_is_told() {
    let policy_of = learning(10);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    share(&mut shared, &seen(["a.example"], 9_000), 10_000, learning).pop().unwrap();
    // Another worker saw these before, and shares them now.
    let line = share(&mut shared, &seen(["a.example", "b.example"], 8_000), 20_000, learning).pop().unwrap();
    assert!(
        line.contains(
            "2 asked for since the last line: b.example (GET 1, first 8, last 8), a.example (GET 2"
        ),
        "{line}"
    );
}

#[test]
fn a_line_has_an_end_and_the_next_one_the_rest() {
    let policy_of = learning(500);
    let learning = policy_of.learning().unwrap();
    let hosts: Vec<String> = (0..400).map(|n| format!("{n}-{}.example", "long".repeat(14))).collect();
    let mut shared = Table::default();
    for hosts in hosts.chunks(50) {
        shared.merge(&seen(hosts.iter().map(String::as_str), 1_000), learning);
    }
    let mut told = std::collections::BTreeSet::new();
    let mut lines = 0;
    while let Some(line) = shared.report(10_000 * (lines + 2), learning).pop() {
        lines += 1;
        assert!(line.len() < 13_000, "{}", line.len());
        compile(policy(&line)).unwrap();
        let left: usize =
            line.split_once(", and ").map_or(0, |(_, rest)| rest.split(' ').next().unwrap().parse().unwrap());
        let new = hosts.iter().filter(|host| line.contains(&format!("\"{host}\"")));
        told.extend(new.cloned());
        assert_eq!(left, 400 - told.len());
    }
    assert!(told.len() == 400 && lines < 12, "{} in {lines} lines", told.len());
}

#[test]
fn a_damaged_table_is_read_as_far_as_it_goes() {
    let policy_of = learning(500);
    let learning = policy_of.learning().unwrap();
    let mut whole = Table::default();
    whole.merge(&seen(["a.example", "b.example", "c.example"], u64::MAX), learning);
    let whole = whole.encode();
    // Cut anywhere, or with any byte changed.
    let cut = (0..whole.len()).map(|end| whole[..end].to_vec());
    let changed = (0..whole.len()).flat_map(|at| {
        let whole = &whole;
        [0, 1, 0x7f, 0x80, 0xff].into_iter().map(move |byte| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            bytes
        })
    });
    let others =
        [b"\xff\xfe".to_vec(), b"1 2\na.example 5 6 7\n".to_vec(), vec![1; 5_000], vec![0xff; 5_000]];
    for bytes in cut.chain(changed).chain(others) {
        let mut table = Table::decode(&bytes);
        let again = table.clone();
        table.merge(&again, learning);
        assert!(table.report(u64::MAX, learning).len() < 400);
        table.forget(u64::MAX, learning);
        assert!(table.hosts() <= 500);
        _ = Table::is_due(&bytes, 0, learning);
        assert_eq!(Table::decode(&table.encode()), table);
    }
}

#[test]
fn only_what_no_rule_names_is_learnt() {
    let policy = compile(super::DESIGN).unwrap();
    let unlisted =
        |authority| super::decide(&policy, &super::Call { authority, ..super::CHECKOUT }).0.unlisted;
    assert_eq!(unlisted("New.Example:443").unwrap().host.as_ref(), b"new.example");
    for known in ["api.stripe.com", "169.254.169.254", "a.vendor.example", "a@b"] {
        assert_eq!(unlisted(known), None, "{known}");
    }
    // What a rule keeps from others is named all the same.
    let web = super::Call { principal: "spiffe://cluster.local/ns/shop/sa/web", ..super::CHECKOUT };
    assert_eq!(super::decide(&policy, &web).0.unlisted, None);
    let elsewhere = super::Call { authority: "eu.adyen.com", target: "/v2", ..super::CHECKOUT };
    assert_eq!(super::decide(&policy, &elsewhere).0.unlisted, None);
}
