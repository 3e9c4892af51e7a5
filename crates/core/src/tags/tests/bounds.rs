//! However many values come, the series stay few and every request is counted.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

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
    for tagger in &proxy.workers {
        assert_eq!(tagger.meter().unwrap().size().value, 30);
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
    let meter = proxy.workers[1].meter().unwrap();
    proxy.log.iter().for_each(|entry| meter.learn(entry));
    let names: Vec<_> = meter.series_from(0).into_iter().map(|series| series.name).collect();
    assert_eq!(names, ["tenant=.=acme;.;host=.=shop;.;op=.=/a/{b};.;requests_total".into()]);
}

#[test]
fn series_of_an_older_policy_count() {
    let mut old = Proxy::new(POLICY, 1);
    (0..30).for_each(|number| attack(&mut old, 0, number));
    let renamed = POLICY.replace("\"op\"", "\"operation\"");
    let new = Proxy::new(&renamed, 1);
    let meter = new.workers[0].meter().unwrap();
    old.log.iter().for_each(|entry| meter.learn(entry));
    assert_eq!(meter.size().value, old.workers[0].meter().unwrap().size().value, "Envoy has them still");
    assert!(meter.series_from(0).is_empty(), "they are not defined again");
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
