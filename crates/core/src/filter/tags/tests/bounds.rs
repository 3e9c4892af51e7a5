//! However many values come, there are few series, and every request is counted.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Metered;
use super::{Exchange, Proxy};
use crate::policy::Policy;

const POLICY: &str = r#"{"trust": "mesh",
  "tags": {"tenant": {"header": "x-tenant", "maxValues": 20, "maxLength": 16}, "host": {"host": true, "maxValues": 20},
           "op": {"pathTemplates": ["/a/{b}"]}},
  "metrics": [{"name": "requests_total", "tags": ["tenant", "host", "op"]}], "limits": {"maxSeries": 30}}"#;

fn attack(proxy: &mut Proxy, worker: usize, number: usize) {
    let (path, host, tenant) = (format!("/{number}"), format!("h{}", number % 37), format!("t{number}"));
    let headers: [(&[u8], &[u8]); 3] =
        [(b":path", path.as_bytes()), (b":authority", host.as_bytes()), (b"x-tenant", tenant.as_bytes())];
    proxy.serve(worker, Exchange { headers: &headers, properties: &[] });
}

fn requests(proxy: &Proxy) -> (usize, u64) {
    let series: Vec<_> = proxy.counts.iter().filter(|(name, _)| name.ends_with("requests_total")).collect();
    (series.len(), series.iter().map(|(_, value)| **value).sum())
}

#[test]
fn the_bound_holds_for_all_workers_together() {
    let mut proxy = Proxy::new(POLICY, 3);
    for number in 0..6000 {
        attack(&mut proxy, number % 3, number);
    }
    let (series, sum) = requests(&proxy);
    assert_eq!(sum, 6000);
    assert!(series <= 30, "{series}");
    let overflow = proxy.count("overflow=.=true;.;requests_total");
    assert!(overflow > 0 && overflow < 6000, "{overflow}");
    assert_eq!(proxy.log.len(), 20 + 20 + 29, "the values of both tags, and the series");
    let tenants: std::collections::BTreeSet<_> =
        proxy.counts.keys().filter_map(|name| name.strip_prefix("tenant=.=t")?.split(';').next()).collect();
    assert_eq!(tenants.len(), 20, "the same values for every worker: {tenants:?}");
    assert!(proxy.count("tag=.=tenant;.;narrows_tags_dropped_total") > 5000);
    assert_eq!(proxy.notes.iter().filter(|note| note.contains("tenant")).count(), 15, "five a worker");
    assert_eq!(proxy.notes.iter().filter(|note| note.contains("maxSeries")).count(), 3, "one a worker");
    for tagger in &proxy.workers {
        assert_eq!(tagger.cardinality_limit().unwrap().size().value, 30);
    }
}

#[test]
fn a_full_book_asks_no_more() {
    let mut proxy = Proxy::new(POLICY, 1);
    (0..2000).for_each(|number| attack(&mut proxy, 0, number));
    let entries = proxy.log.len();
    proxy.log.push(b"v\x1ftenant\x1flate".to_vec());
    proxy.log.push(b"nonsense".to_vec());
    proxy.log.push(b"\xff\x1f".to_vec());
    (2000..2100).for_each(|number| attack(&mut proxy, 0, number));
    assert_eq!(proxy.log.len(), entries + 3);
    assert_eq!(proxy.learnt[0], entries, "nothing was asked, so nothing was read");
}

#[test]
fn a_new_worker_knows_what_was_counted() {
    let mut proxy = Proxy::new(POLICY, 2);
    proxy.get("/a/1", b"acme");
    let cardinality = proxy.workers[1].cardinality_limit().unwrap();
    proxy.log.iter().for_each(|entry| cardinality.apply(entry));
    let names: Vec<_> = cardinality.series_from(0).into_iter().map(|series| series.name).collect();
    assert_eq!(names, ["tenant=.=acme;.;host=.=shop;.;op=.=/a/{b};.;requests_total".into()]);
}

#[test]
fn series_of_an_older_policy_count() {
    let mut old = Proxy::new(POLICY, 1);
    (0..30).for_each(|number| attack(&mut old, 0, number));
    let renamed = POLICY.replace("\"op\"", "\"operation\"");
    let new = Proxy::new(&renamed, 1);
    let cardinality = new.workers[0].cardinality_limit().unwrap();
    old.log.iter().for_each(|entry| cardinality.apply(entry));
    assert_eq!(
        cardinality.size().value,
        old.workers[0].cardinality_limit().unwrap().size().value,
        "Envoy has them still"
    );
    assert!(cardinality.series_from(0).is_empty(), "they are not defined again");
}

/// What a policy makes of the log of another policy: how many series it counts besides its own overflow
/// series, and how many of them it defines again.
fn after(old: &str, new: &str) -> (u64, usize) {
    let mut old = Proxy::new(old, 1);
    old.get("/a/1", b"acme");
    let mut log = old.workers[0].cardinality_limit().unwrap().overflow_entries();
    log.append(&mut old.log);
    let new = Proxy::new(new, 1);
    let cardinality = new.workers[0].cardinality_limit().unwrap();
    log.iter().for_each(|entry| cardinality.apply(entry));
    (cardinality.size().value - 1, cardinality.series_from(0).len())
}

#[test]
fn a_series_that_is_written_otherwise_is_another() {
    let one = r#"{"trust": "mesh", "tags": {"tenant": {"header": "x-tenant"}},
        "metrics": [{"name": "m", "value": "1", "tags": ["tenant"]}]}"#;
    assert_eq!(after(one, one), (1, 1));
    // Another kind, label encoding or stock label: the old series stays, and so does its overflow
    // series.
    let kind = one.replace("\"1\"", "\"responseBytes\", \"type\": \"histogram\"");
    assert_eq!(after(one, &kind), (2, 0));
    let stock = |label: &str| {
        one.replace("\"trust\"", "\"labels\": \"stock\", \"trust\"")
            .replace("\"x-tenant\"", &format!("\"x-tenant\", \"stockLabel\": \"{label}\""))
    };
    assert_eq!(after(one, &stock("tag")), (2, 0));
    assert_eq!(after(&stock("tag"), &stock("tag")), (1, 1));
    assert_eq!(after(&stock("tag"), &stock("cache")), (2, 0));
    // Another name for the metric: two series of the old name, as Envoy has them.
    assert_eq!(after(one, &one.replace("\"m\"", "\"n\"")), (2, 0));
}

#[test]
fn a_full_log_is_asked_no_more() {
    let mut proxy = Proxy::new(POLICY, 1);
    (0..10).for_each(|number| attack(&mut proxy, 0, number));
    let entries = proxy.log.len();
    let cardinality = proxy.workers[0].cardinality_limit().unwrap();
    assert!(cardinality.close() && !cardinality.close(), "it is news once");
    proxy.log.push(b"v\x1ftenant\x1flate".to_vec());
    (10..2000).for_each(|number| attack(&mut proxy, 0, number));
    assert_eq!((proxy.log.len(), proxy.learnt[0]), (entries + 1, entries), "nothing was asked");
    assert_eq!(requests(&proxy).1, 2000);
    assert!(!proxy.notes.iter().any(|note| note.contains("maxSeries")), "that is not what is reached");
}

#[test]
fn a_dropped_value_is_noted_once() {
    let policy = r#"{"trust": "mesh", "tags": {"tenant": {"header": "x-tenant", "maxValues": 1}},
        "metrics": [{"name": "m", "tags": ["tenant"]}]}"#;
    let mut proxy = Proxy::new(policy, 1);
    for tenant in ["a", "b", "b", "b", "b", "b", "b", "c"] {
        proxy.get("/", tenant.as_bytes());
    }
    let notes: Vec<_> = proxy.notes.iter().map(|note| note.split('"').nth(3).unwrap()).collect();
    assert_eq!(notes, ["b", "c"], "{:?}", proxy.notes);
}

#[test]
fn a_tag_that_nothing_uses_has_no_series() {
    let policy = r#"{"trust": "mesh", "tags": {"a": {"header": "a"}, "b": {"header": "b"}, "c": {"header": "c"}},
        "metrics": [{"name": "m", "tags": ["a"]}], "publish": ["b"]}"#;
    let proxy = Proxy::new(policy, 1);
    let names: Vec<_> = proxy.workers[0].common().series.iter().map(|series| &*series.name).collect();
    assert_eq!(
        names,
        [
            "narrows_tags_series",
            "tag=.=a;.;narrows_tags_dropped_total",
            "tag=.=b;.;narrows_tags_dropped_total",
            "overflow=.=true;.;m"
        ]
    );
}

#[test]
fn hostile_values_are_words() {
    let mut proxy = Proxy::new(POLICY, 1);
    proxy.get("/a/b", b"x;.;op=.=evil;.;\"\n\xff\xfe");
    proxy.get("/a/b", b"");
    let names: Vec<_> = proxy.counts.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "tenant=.=unknown;.;host=.=shop;.;op=.=/a/{b};.;requests_total",
            "tenant=.=x_._op_._evil_._;.;host=.=shop;.;op=.=/a/{b};.;requests_total",
        ]
    );
}

#[test]
fn declared_values_leave_no_room_for_others() {
    let policy = r#"{"trust": "mesh", "tags": {"lane": {"header": "x-tenant", "values": ["gold", "blue"], "missing": "blue"}},
        "metrics": [{"name": "requests_total", "tags": ["lane"]}]}"#;
    let mut proxy = Proxy::new(policy, 1);
    for lane in [b"gold".as_slice(), b"blue", b"", b"red", b"green"] {
        proxy.get("/", lane);
    }
    let counted: Vec<_> = proxy.counts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    assert_eq!(
        counted,
        [
            "lane=.=blue;.;requests_total 2",
            "lane=.=gold;.;requests_total 1",
            "lane=.=other;.;requests_total 2"
        ]
    );
}

#[test]
fn stock_labels() {
    let policy = r#"{"trust": "mesh", "labels": "stock", "limits": {"maxSeries": 3},
        "tags": {"tenant": {"header": "x-tenant", "stockLabel": "component"},
                 "op": {"pathTemplates": ["/v1.2"], "stockLabel": "tag"}, "code": {"statusClass": true, "stockLabel": "response_code_class"}},
        "metrics": [{"name": "requests", "tags": ["tenant", "op", "code"]}]}"#;
    let mut proxy = Proxy::new(policy, 1);
    proxy.get("/v1.2", b"a.b");
    proxy.serve(0, Exchange { headers: &[], properties: &[] });
    proxy.get("/v1.2", b"c");
    let names: Vec<_> = proxy.counts.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "component.a_b.tag./v1.2;.requests_rq_2xx",
            "component.overflow.tag.overflow;.requests_rq_0xx",
            "component.unknown.tag.other;.requests_rq_0xx",
        ]
    );
}
