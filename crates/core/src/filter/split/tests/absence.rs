//! Which failures switch a backend off, at which port, and what a push clears.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Guarded;
use super::{BEFORE, CANARY, STABLE, backend, compile, decide, names, stock};
use crate::filter::split::{Reason, Splitter};
use crate::{Before, Policy, Request, Served};

/// What Envoy would have served nowhere, split or no split, is no proof.
#[test]
fn a_failure_counts_where_envoy_had_a_route_before() {
    let gone = [
        Served { code: 404, flags: 1 << 8, ..Served::default() },
        Served { code: 503, flags: 1 << 24, ..Served::default() },
        Served { code: 503, cluster: CANARY, flags: 1 << 1, ..Served::default() },
        Served { code: 200, cluster: b"PassthroughCluster", ..Served::default() },
        Served { code: 502, cluster: b"BlackHoleCluster", ..Served::default() },
        Served { code: 502, ..Served::default() },
    ];
    let to = |cluster| Before { cluster, ..Before::default() };
    let forged = Before { cluster: STABLE, is_forged: true, ..Before::default() };
    let rewritten = Before { is_rewritten: true, ..Before::default() };
    let always = [true; 6];
    let never = [false; 6];
    // No cluster, and no host in it: a route led there.
    let routed = [false, true, true, false, false, false];
    for (more, method, before, counts) in [
        ("", "GET", to(STABLE), always),
        ("", "GET", to(b"plain"), always),
        ("", "POST", to(STABLE), always),
        ("", "CONNECT", to(STABLE), never),
        ("", "GET", to(b""), never),
        ("", "GET", to(b"PassthroughCluster"), never),
        ("", "GET", to(b"BlackHoleCluster"), never),
        ("", "GET", to(b"AllowAnyDynamicDNSCluster"), never),
        ("", "GET", forged, never),
        // It would have gone there without the split.
        ("", "GET", to(CANARY), [true, true, false, true, true, true]),
        ("", "GET", rewritten, routed),
        ("", "CONNECT", rewritten, never),
        ("own", "GET", to(b""), routed),
        ("own", "GET", to(STABLE), always),
        ("own", "GET", Before { is_forged: true, ..rewritten }, never),
    ] {
        for (served, counts) in gone.iter().zip(counts) {
            let splitter = compile(&format!(
                r#"{{"trust": "mesh", "splits": [{{"name": "stock", "service": "stock.books", "onMissingKey": "canary",
                    "backends": [{{"name": "stable", "baseline": true{}}},
                                 {{"name": "canary", "authority": "stock-canary", "weight": 1}}]}}]}}"#,
                if more.is_empty() { "" } else { r#", "to": "v1""# }
            ))
            .unwrap();
            let headers = [(":method", method), (":path", "/"), (":authority", "stock:8080")];
            let ask = || {
                let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                splitter.decide(Request::new(lines)).1
            };
            let verdict = ask();
            let served = Served { before: Some(before), ..*served };
            let measured = names(&splitter, &splitter.served(&verdict, &served));
            let is_off = splitter.backend(0, ask().unwrap().backend) == Some("stable");
            assert_eq!(is_off, counts, "{method}, baseline {more:?}, {served:?}");
            let mismatch = measured.contains(&"mismatch_total".to_owned());
            assert!(mismatch || !counts, "{method}, {served:?}");
        }
    }
}

/// Where the policy says which cluster must serve a backend, another one that does proves
/// that it is not there: Istio's `egressProxy` takes every host that no route knows.
#[test]
fn a_certain_mismatch_switches_off() {
    const EGRESS: &[u8] = b"outbound|8080||istio-egressgateway.istio-system.svc.cluster.local";
    for (named, before, cluster, off) in [
        (true, STABLE, EGRESS, true),
        (false, STABLE, EGRESS, false),
        (true, STABLE, CANARY, false),
        // Another port of the same service, and the port that was sniffed.
        (true, STABLE, b"outbound|9090||stock-canary.books.svc.cluster.local", false),
        (true, STABLE, STABLE, false),
        // A route of another host that takes the path with or without the split.
        (
            true,
            b"outbound|80||legacy.books.svc.cluster.local",
            b"outbound|80||legacy.books.svc.cluster.local",
            false,
        ),
        (true, b"", EGRESS, false),
        (true, STABLE, b"", false),
    ] {
        let cluster_field = r#", "cluster": "outbound|8080||stock-canary.books.svc.cluster.local""#;
        let splitter = compile(&format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "stock", "service": "stock.books", "onMissingKey": "canary",
                "backends": [{{"name": "stable", "baseline": true}},
                             {{"name": "canary", "authority": "stock-canary", "weight": 1{}}}]}}]}}"#,
            if named { cluster_field } else { "" }
        ))
        .unwrap();
        let verdict = decide(&splitter, &[]).1;
        let before = Some(Before { cluster: before, ..Before::default() });
        let served = Served { code: 404, cluster, before, ..Served::default() };
        splitter.served(&verdict, &served);
        assert_eq!(backend(&splitter, &[]) == "stable", off, "{named} {served:?}");
    }
}

/// A client does not choose which virtual host takes the host of a backend. Where that is the one of
/// the split's own hosts, or of every host, no request gets to the backend.
#[test]
fn a_host_without_a_virtual_host_switches_off() {
    const EGRESS: &[u8] = b"outbound|8080||istio-egressgateway.istio-system.svc.cluster.local";
    const WAYPOINT: &[u8] = b"inbound-vip|8080|http|stock.books.svc.cluster.local";
    let by_host = r#""authority": "stock-canary""#;
    let by_header = r#""to": "v2", "cluster": "outbound|8080||stock-canary.books.svc.cluster.local""#;
    for (canary, taken_by, before, cluster, off) in [
        // A port that Istio sniffs, and a waypoint.
        (by_host, "stock.books.svc.cluster.local:8080", STABLE, STABLE, true),
        (by_host, "inbound|http|8080", WAYPOINT, WAYPOINT, true),
        (by_host, "inbound|http|8080", WAYPOINT, b"inbound-vip|8080|http|stock-canary.books.svc", false),
        // `egressProxy`, and a route of every host.
        (by_host, "allow_any", STABLE, EGRESS, true),
        (by_host, "*:8080", STABLE, EGRESS, true),
        (by_host, "block_all", STABLE, EGRESS, true),
        (by_host, "allow_any", EGRESS, EGRESS, false),
        (by_host, "allow_any", b"", EGRESS, false),
        // A virtual host of its own, whose routes lead elsewhere; an alias; names that say nothing.
        (by_host, "stock-canary.books.svc.cluster.local:8080", STABLE, EGRESS, false),
        (by_host, "stock-v2.books.svc.cluster.local:8080", STABLE, EGRESS, false),
        (by_host, "*.books.svc.cluster.local:8080", STABLE, EGRESS, false),
        (by_host, "shop", STABLE, STABLE, false),
        (by_host, "", STABLE, EGRESS, false),
        (by_host, "stock.books.svc.cluster.local:8080", STABLE, CANARY, false),
        // The host stays: no virtual host but its own takes the request.
        (by_header, "stock.books.svc.cluster.local:8080", STABLE, STABLE, false),
        (by_header, "inbound|http|8080", WAYPOINT, WAYPOINT, false),
    ] {
        let splitter = compile(&format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "stock", "service": "stock.books", "onMissingKey": "canary",
                "backends": [{{"name": "stable", "baseline": true}}, {{"name": "canary", {canary}, "weight": 1}}]}}]}}"#
        ))
        .unwrap();
        let verdict = decide(&splitter, &[]).1;
        let before =
            Before { cluster: before, taken_by: taken_by.as_bytes(), is_forged: false, is_rewritten: false };
        let served = Served { code: 200, cluster, before: Some(before), ..Served::default() };
        let measured = names(&splitter, &splitter.served(&verdict, &served));
        assert_eq!(backend(&splitter, &[]) == "stable", off, "{canary} {taken_by} {served:?}");
        assert!(!off || measured.contains(&"mismatch_total".to_owned()), "{taken_by}");
        let forged = Served { before: Some(Before { is_forged: true, ..before }), ..served };
        let other = compile(&format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "stock", "service": "stock.books", "onMissingKey": "canary",
                "backends": [{{"name": "stable", "baseline": true}}, {{"name": "canary", {canary}, "weight": 1}}]}}]}}"#
        ))
        .unwrap();
        other.served(&verdict, &forged);
        assert_eq!(backend(&other, &[]), "canary", "{taken_by}");
    }
}

/// Istio's cluster of a Service without a cluster IP goes wherever the caller went.
#[test]
fn a_request_that_went_where_the_caller_dialled_is_lost() {
    let splitter = stock(r#""onMissingKey": "canary""#);
    let verdict = decide(&splitter, &[]).1;
    let served =
        Served { code: 200, cluster: CANARY, before: BEFORE, by_upstream: true, ..Served::default() };
    assert!(splitter.asks_address(&verdict, &served));
    assert!(!splitter.asks_address(&verdict, &Served { cluster: b"", ..served }));
    let kept = Served { at_dialled: Some(false), ..served };
    assert!(!names(&splitter, &splitter.served(&verdict, &kept)).contains(&"mismatch_total".to_owned()));
    assert!(!splitter.asks_address(&verdict, &served), "known from now on");
    assert!(splitter.asks_address(&verdict, &Served { cluster: STABLE, ..served }));
    assert_eq!(backend(&splitter, &[]), "canary");
    let lost = Served { at_dialled: Some(true), ..served };
    assert!(names(&splitter, &splitter.served(&verdict, &lost)).contains(&"mismatch_total".to_owned()));
    assert_eq!(backend(&splitter, &[]), "stable");
}

/// Another destination is not absent for what was missing at the old one; anything else that
/// a push changes does not bring it back.
#[test]
fn what_a_push_clears() {
    let canary = |route: &str, canary: &str, more: &str| {
        compile(&format!(
            r#"{{"trust": "mesh"{route}, "splits": [{{"name": "stock", "service": "stock.books", "onMissingKey": "canary"{more},
                "backends": [{{"name": "stable", "baseline": true}}, {{"name": "canary", {canary}}}]}}]}}"#
        ))
        .unwrap()
    };
    let by_host = r#""authority": "stock-canari", "weight": 1"#;
    let by_header = r#""to": "v2", "weight": 1"#;
    for (old, new, keeps) in vec![
        (canary("", by_host, ""), canary("", by_host, ""), true),
        (canary("", by_host, ""), canary("", &by_host.replace('1', "50"), r#", "salt": "other""#), true),
        (canary("", by_host, ""), canary("", by_host, r#", "guard": {"cooldown": "1s"}"#), true),
        (canary("", by_host, ""), canary("", &by_host.replace("canari", "canary"), ""), false),
        (canary("", by_host, ""), canary("", &by_host.replace("canari", "canari:8080"), ""), false),
        (canary("", by_host, ""), canary("", by_header, ""), false),
        (canary("", by_host, ""), canary("", &format!(r#"{by_host}, "cluster": "c""#), ""), false),
        (canary("", by_host, ""), canary("", by_host, r#", "guard": {"cluster": "c"}"#), false),
        (canary("", by_header, ""), canary("", by_header, ""), true),
        (canary("", by_header, ""), canary("", &by_header.replace("v2", "v3"), ""), false),
        (canary("", by_header, ""), canary(r#", "routeHeader": "x-route""#, by_header, ""), false),
        (canary("", by_host, ""), canary(r#", "routeHeader": "x-route""#, by_host, ""), true),
    ] {
        let verdict = decide(&old, &[]).1;
        let served = Served { code: 404, flags: 1 << 8, now: 1_000, before: BEFORE, ..Served::default() };
        old.served(&verdict, &served);
        let shared = old.guards().publish(&[], 1_000);
        assert_eq!(shared.len(), 16);
        new.guards().merge(&shared, 1_001);
        assert_eq!(backend(&new, &[]) == "stable", keeps, "{new:?}");
        assert_eq!(new.guards().gauges()[0].value, u64::from(keeps));
    }
}

/// Listeners, routes and clusters are chosen by the port.
#[test]
fn the_guard_is_by_port() {
    let at = |splitter: &Splitter, authority: &str| {
        let headers = [(":path", "/"), (":authority", authority)];
        let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        splitter.decide(Request::new(lines)).1.unwrap()
    };
    let served = Served { code: 404, flags: 1 << 8, now: 1_000, before: BEFORE, ..Served::default() };
    let splitter = stock(r#""onMissingKey": "canary""#);
    let verdict = at(&splitter, "stock:9090");
    splitter.served(&Some(verdict), &served);
    for (authority, reason) in [
        ("stock:9090", Reason::Guard),
        ("stock.books.svc.cluster.local:9090", Reason::Guard),
        ("stock:8080", Reason::MissingKey),
        ("stock", Reason::MissingKey),
        ("stock:19090", Reason::MissingKey),
    ] {
        assert_eq!(at(&splitter, authority).reason, reason, "{authority}");
    }
    // A destination with a port of its own is one, whatever the caller wrote.
    let splitter = compile(
        r#"{"trust": "mesh", "splits": [{"name": "stock", "service": "stock.books", "onMissingKey": "canary",
            "backends": [{"name": "stable", "baseline": true}, {"name": "canary", "authority": "c:80"}]}]}"#,
    )
    .unwrap();
    splitter.served(&Some(at(&splitter, "stock:9090")), &served);
    assert_eq!(at(&splitter, "stock:8080").reason, Reason::Guard);
}
