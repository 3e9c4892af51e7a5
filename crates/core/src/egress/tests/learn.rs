//! Of the table of unlisted destinations.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Egress, compile};
use crate::egress::learn::{Learning, Table};
use crate::policy::Policy;

fn learning(max_hosts: usize) -> Egress {
    compile(&format!(r#"{{"learn": {{"maxHosts": {max_hosts}, "logEvery": "10s"}}}}"#)).unwrap()
}

/// What a worker has seen: GETs of these hosts, at this time.
fn seen<'h>(hosts: impl IntoIterator<Item = &'h str>, now: u64, learning: &Learning) -> Table {
    let mut table = Table::default();
    for host in hosts {
        table.note(host.as_bytes(), b"GET", now, learning);
    }
    table
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
    one.note(b"b.example", b"GET", 5_000, learning);
    one.note(b"b.example", b"GET", 6_000, learning);
    one.note(b"a.example", b"POST", 7_000, learning);
    one.note(b"c.example", b"GET", 7_000, learning);
    assert_eq!((one.hosts(), one.dropped()), (2, 1));
    two.note(b"b.example", b"BREW", 4_000, learning);

    let mut shared = Table::decode(b"", learning);
    assert_eq!(
        shared.merge(&one, learning),
        [(b"a.example".as_slice().into(), 1), (b"b.example".as_slice().into(), 2)]
    );
    assert_eq!(shared.merge(&two, learning), [(b"b.example".as_slice().into(), 1)]);
    assert_eq!((shared.hosts(), shared.dropped()), (2, 1));
    let text = shared.encode();
    let mut shared = Table::decode(&text, learning);
    assert_eq!(shared.encode(), text);

    assert_eq!(shared.tell(9_999, learning), None);
    let line = shared.tell(20_000, learning).unwrap();
    assert_eq!(
        line,
        "2 unlisted destinations, 2 asked for since the last line: b.example (GET 2, OTHER 1, first 4, last 6), \
         a.example (POST 1, first 7, last 7); 1 requests to more hosts than \"maxHosts\"; a policy that allows them: \
         {\"filter\":\"egress-policy\",\"default\":\"deny\",\"rules\":[\
         {\"name\":\"learned-1\",\"action\":\"allow\",\"to\":{\"hosts\":[\"b.example\"]}},\
         {\"name\":\"learned-2\",\"action\":\"allow\",\"to\":{\"hosts\":[\"a.example\"],\"methods\":[\"POST\"]}}]}"
    );
    compile(policy(&line)).unwrap();
    // Nothing new, no line.
    assert_eq!(shared.tell(60_000, learning), None);
}

#[test]
fn what_comes_after_junk_is_seen() {
    let policy_of = learning(3);
    let learning = policy_of.learning().unwrap();
    let mut shared = Table::default();
    shared.merge(&seen(["junk-1", "junk-2", "junk-3"], 1_000, learning), learning);
    shared.tell(10_000, learning).unwrap();
    // What has been told goes first, and is not missed.
    let taken = shared.merge(&seen(["exfil.example"], 11_000, learning), learning);
    assert_eq!(taken, [(b"other".as_slice().into(), 1)]);
    assert_eq!((shared.hosts(), shared.dropped()), (3, 0));
    let line = shared.tell(20_000, learning).unwrap();
    assert!(
        line.starts_with("3 unlisted destinations, 1 asked for since the last line: exfil.example ("),
        "{line}"
    );
    // What goes before it was told is.
    shared.merge(&seen(["a", "b", "c"], 21_000, learning), learning);
    shared.merge(&seen(["d", "d"], 22_000, learning), learning);
    assert_eq!((shared.hosts(), shared.dropped()), (3, 1));
    let line = shared.tell(30_000, learning).unwrap();
    assert!(line.contains(": b (GET 1, first 21, last 21), c (") && line.contains("d (GET 2"), "{line}");
    assert!(line.contains("; 1 requests to more hosts than \"maxHosts\";"), "{line}");
    // So is what a worker had no room for, alone.
    let mut full = seen(["b", "c", "d", "e"], 31_000, learning);
    assert_eq!(full.dropped(), 1);
    full = Table::decode(format!("0 {}\n", full.dropped()).as_bytes(), learning);
    shared.merge(&full, learning);
    let line = shared.tell(40_000, learning).unwrap();
    assert!(
        line.starts_with("3 unlisted destinations, 0 asked for since the last line; 1 requests to"),
        "{line}"
    );
    assert_eq!(shared.tell(50_000, learning), None);
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
        let seen = seen(hosts.iter().map(String::as_str), round, learning);
        let taken = shared.merge(&seen, learning);
        requests += taken.iter().map(|(_, requests)| requests).sum::<u64>();
        series.extend(taken.into_iter().map(|(name, _)| name));
        shared = Table::decode(&shared.encode(), learning);
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
    shared.merge(&seen(["a.example"], 9_000, learning), learning);
    shared.tell(10_000, learning).unwrap();
    // Another worker saw these before, and shares them now.
    shared.merge(&seen(["a.example", "b.example"], 8_000, learning), learning);
    let mut shared = Table::decode(&shared.encode(), learning);
    let line = shared.tell(20_000, learning).unwrap();
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
    let mut shared = seen(hosts.iter().map(String::as_str), 1_000, learning);
    let mut told = std::collections::BTreeSet::new();
    let mut lines = 0;
    while let Some(line) = shared.tell(10_000 * (lines + 2), learning) {
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
    for text in [
        b"\xff\xfe".as_slice(),
        b"x y\nz",
        b"1 2\na.example",
        b"1 2\na.example 5 6 7 8 9 1 2 3 4 5 6 7 8 9\n\n",
        b"18446744073709551615 18446744073709551615 1 18446744073709551615\na 1 2 3 4 5 6 7 8 9 1 2 3 18446744073709551615 9",
    ] {
        let mut table = Table::decode(text, learning);
        let again = table.clone();
        table.merge(&again, learning);
        table.tell(u64::MAX, learning);
        table.encode();
    }
}

#[test]
fn only_what_no_rule_names_is_learnt() {
    let policy = compile(super::DESIGN).unwrap();
    let unlisted =
        |authority| super::decide(&policy, &super::Ask { authority, ..super::CHECKOUT }).0.unlisted;
    assert_eq!(unlisted("New.Example:443").unwrap().host.as_ref(), b"new.example");
    for known in ["api.stripe.com", "169.254.169.254", "10.0.0.1", "a.vendor.example", "a@b"] {
        assert_eq!(unlisted(known), None, "{known}");
    }
    // What a rule keeps from others is named all the same.
    let web = super::Ask { principal: "spiffe://cluster.local/ns/shop/sa/web", ..super::CHECKOUT };
    assert_eq!(super::decide(&policy, &web).0.unlisted, None);
    let elsewhere = super::Ask { authority: "eu.adyen.com", target: "/v2", ..super::CHECKOUT };
    assert_eq!(super::decide(&policy, &elsewhere).0.unlisted, None);
}
