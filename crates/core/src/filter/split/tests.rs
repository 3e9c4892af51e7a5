//! Tests of the splitter: what it decides, counts and refuses.

mod absence;
mod anonymous;
mod keys;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Guarded, Reason, Splitter, Wants};
use crate::{Before, Edit, Policy, PolicyValue, Request, Served};

const STABLE: &[u8] = b"outbound|8080||stock.books.svc.cluster.local";
const CANARY: &[u8] = b"outbound|8080||stock-canary.books.svc.cluster.local";
const BEFORE: Option<Before<'_>> =
    Some(Before { cluster: STABLE, is_forged: false, is_rewritten: false, taken_by: b"" });

#[test]
fn every_reason() {
    let splitter = stock(
        r#""override": {"header": "x-canary"}, "onMissingKey": "canary",
           "include": [{"matches": [{"headers": {"x-user-id": {"in": ["qa-1", "vip"]}}}], "backend": "canary"}],
           "exclude": [{"matches": [{"headers": {"x-plan": {"exact": "enterprise"}}}]}]"#,
    );
    for (headers, backend, reason) in [
        (vec![("x-canary", "always"), ("x-plan", "enterprise")], "canary", Reason::Override),
        (vec![("x-canary", "never"), ("x-user-id", "qa-1")], "stable", Reason::Override),
        (vec![("x-canary", "perhaps"), ("x-user-id", "qa-1")], "canary", Reason::Include),
        (vec![("x-plan", "enterprise"), ("x-user-id", "vip")], "stable", Reason::Exclude),
        (vec![("x-user-id", "u-1")], "stable", Reason::Weight),
        (vec![], "canary", Reason::MissingKey),
        (vec![("x-user-id", "")], "canary", Reason::MissingKey),
        (vec![("x-user-id", "a"), ("x-user-id", "b")], "canary", Reason::MissingKey),
    ] {
        let (_, verdict) = decide(&splitter, &headers);
        let verdict = verdict.unwrap();
        assert_eq!(splitter.backend(0, verdict.backend), Some(backend), "{headers:?}");
        assert_eq!(verdict.reason, reason, "{headers:?}");
    }
}

#[test]
fn a_switched_off_backend_is_served_by_the_baseline() {
    let splitter = stock(r#""onMissingKey": "canary""#);
    assert_eq!(backend(&splitter, &[]), "canary");
    let verdict = decide(&splitter, &[]).1;
    assert_eq!(splitter.wants(&verdict), Some(Wants { cluster: true, before: true, upstream: false }));
    assert!(splitter.asks_flags(&verdict, 503) && splitter.asks_flags(&verdict, 0));
    assert!(!splitter.asks_flags(&verdict, 200));
    let call = decide(&splitter, &[("content-type", "application/grpc-web+proto")]).1;
    assert!(splitter.asks_flags(&call, 200));
    let served = Served { code: 503, flags: 1 << 24, now: 1_000, before: BEFORE, ..Served::default() };
    assert!(splitter.is_suspect(&verdict, &served));
    let measured = names(&splitter, &splitter.served(&verdict, &served));
    assert_eq!(measured, ["requests_total 5xx", "duration_milliseconds", "mismatch_total", "guard=1"]);

    let (decision, verdict) = decide(&splitter, &[]);
    let verdict = verdict.unwrap();
    assert_eq!((verdict.reason, verdict.instead_of), (Reason::Guard, Some(1)));
    assert_eq!(splitter.backend(0, verdict.backend), Some("stable"));
    assert_eq!(decision.request, []);
    let counted: Vec<_> =
        decision.count.iter().map(|index| &*splitter.common().series[*index].name).collect();
    assert_eq!(counted, ["split=.=stock;.;backend=.=canary;.;narrows_split_guarded_total"]);
    let record = decision.response.last().map(|edit| format!("{edit:?}")).unwrap();
    assert!(decision.response.len() == 1, "{record}");
    let Some(Edit::Add(name, record)) = decision.response.last() else { panic!("{record}") };
    assert_eq!(name, "x-narrows-explain");
    let record = String::from_utf8_lossy(record);
    assert_eq!(record, "filter=canary-split; split=stock; backend=stable; reason=guard; instead-of=canary");

    // After the cooldown a try, and one is enough.
    let guards = splitter.guards();
    let shared = guards.publish(&[], 1_000);
    guards.published();
    guards.merge(&shared, 31_000);
    let (_, tried) = decide(&splitter, &[]);
    assert!(tried.unwrap().is_try);
    assert_eq!(backend(&splitter, &[]), "stable");
    assert!(splitter.wants(&tried).unwrap().upstream);
    // One that another filter refuses proves nothing.
    let refused = Served { code: 403, now: 31_050, ..Served::default() };
    assert!(!names(&splitter, &splitter.served(&tried, &refused)).iter().any(|n| n.starts_with("guard")));
    assert_eq!(backend(&splitter, &[]), "stable");
    let served = Served { code: 200, cluster: CANARY, by_upstream: true, now: 31_100, ..Served::default() };
    assert!(names(&splitter, &splitter.served(&tried, &served)).contains(&"guard=0".to_owned()));
    assert_eq!(backend(&splitter, &[]), "canary");
}

#[test]
fn what_was_not_there() {
    for (served, absent) in [
        (Served { code: 200, cluster: CANARY, ..Served::default() }, false),
        (Served { code: 503, cluster: CANARY, flags: 1 << 5, ..Served::default() }, false),
        (Served { code: 503, cluster: CANARY, flags: 1 << 1, ..Served::default() }, true),
        (Served { code: 404, flags: 1 << 8, ..Served::default() }, true),
        (Served { code: 503, flags: 1 << 24, ..Served::default() }, true),
        (Served { code: 200, cluster: b"PassthroughCluster", ..Served::default() }, true),
        (Served { code: 502, cluster: b"BlackHoleCluster", ..Served::default() }, true),
        (Served { code: 503, cluster: b"AllowAnyDynamicDNSCluster", ..Served::default() }, true),
        (Served { code: 502, ..Served::default() }, true),
        // Another filter's refusal, or a client that went away.
        (Served { code: 403, ..Served::default() }, false),
        (Served { code: 0, ..Served::default() }, false),
    ] {
        let splitter = stock(r#""onMissingKey": "canary""#);
        let verdict = decide(&splitter, &[]).1;
        splitter.served(&verdict, &Served { before: BEFORE, ..served });
        assert_eq!(backend(&splitter, &[]) == "stable", absent, "{served:?}");
        assert_eq!(splitter.is_suspect(&verdict, &Served { before: BEFORE, ..served }), absent);
    }
}

#[test]
fn intended_against_actual() {
    let served = |cluster| Served { code: 200, cluster, ..Served::default() };
    let mismatch = |splitter: &Splitter, user: &str, cluster: &'static [u8]| {
        let verdict = decide(splitter, &[("x-user-id", user)]).1;
        let measured = names(splitter, &splitter.served(&verdict, &served(cluster)));
        measured.contains(&"mismatch_total".to_owned())
    };
    let splitter = stock(
        r#""include": [{"matches": [{"headers": {"x-user-id": {"exact": "qa"}}}], "backend": "canary"}]"#,
    );
    assert!(!mismatch(&splitter, "qa", CANARY));
    assert!(mismatch(&splitter, "qa", STABLE), "Istio's name says so");
    assert!(!mismatch(&splitter, "qa", b"plain"), "any other name is believed");
    assert!(!mismatch(&splitter, "u-1", b"plain"), "the baseline is never wrong");
    assert!(mismatch(&splitter, "qa", b"plain"), "until the baseline is seen there");
    assert!(!mismatch(&splitter, "qa", b"other"));
    assert!(!mismatch(&splitter, "qa", b""), "another filter answered");

    // A route header that no route matches.
    let by_header = |cluster: &str| {
        let canary = format!(r#"{{"name": "canary", "to": "canary", "weight": 100{cluster}}}"#);
        compile(&format!(
            r#"{{"trust": "mesh", "splits": [{{"name": "stock", "override": {{"header": "x-canary"}},
                "backends": [{{"name": "stable", "baseline": true}}, {canary}]}}]}}"#
        ))
        .unwrap()
    };
    let mismatch = |splitter: &Splitter, choice: &str, cluster: &'static [u8]| {
        let verdict = decide(splitter, &[("x-canary", choice)]).1;
        let measured = names(splitter, &splitter.served(&verdict, &served(cluster)));
        measured.contains(&"mismatch_total".to_owned())
    };
    let splitter = by_header("");
    assert!(!mismatch(&splitter, "always", STABLE), "nothing is known yet");
    assert!(!mismatch(&splitter, "never", STABLE));
    assert!(mismatch(&splitter, "always", STABLE), "it is served where the baseline is");
    assert!(!mismatch(&splitter, "always", CANARY));
    // One cluster for both, by subset: whoever means that says so.
    let splitter = by_header(r#", "cluster": "plain""#);
    assert!(!mismatch(&splitter, "never", b"plain"));
    assert!(!mismatch(&splitter, "always", b"plain"));
    assert!(mismatch(&splitter, "always", b"other"));
}

#[test]
fn the_original_host_comes_back_and_no_other() {
    let splitter =
        compile(&policy(r#""weight": 5"#, "").replacen('{', r#"{"restoreHost": true, "#, 1)).unwrap();
    let restored = |authority: &str, original: &str| {
        let request = [(":authority", authority), (":path", "/"), ("x-forwarded-host", original)];
        let bytes = request.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let (decision, verdict) = splitter.decide(Request::new(bytes));
        assert_eq!(verdict, None, "nothing is split");
        decision.request.iter().map(|edit| format!("{edit:?}")).collect::<Vec<_>>().concat()
    };
    for original in ["stock", "stock:8080", "stock.books", "stock.books.svc.cluster.local:80"] {
        let authority = original.replace("stock", "stock-canary");
        assert!(splitter.concerns(authority.as_bytes()));
        assert!(restored(&authority, original).starts_with("Set(\":authority\""), "{original}");
    }
    for (authority, original) in [
        ("stock-canary", "admin"),
        ("stock-canary", "stock:8080"),
        ("stock-canary:8080", "stock"),
        ("stock-canary", "stock, stock"),
        ("stock-canary.books", "stock"),
        ("other", "stock"),
        ("stock", "stock"),
        ("stock-canary", ""),
    ] {
        assert_eq!(restored(authority, original), "", "{authority} {original}");
    }
    assert!(!splitter.concerns(b"stock"));
    assert!(!splitter.common().needs.outcome);
}

const KEY: &str = r#"[{"header": "x-user-id"}]"#;
const EIGHT: &str = r#"{"all": [{"header": "a"}, {"header": "b"}, {"header": "c"}, {"header": "d"},
    {"header": "e"}, {"header": "f"}, {"header": "g"}, {"header": "h"}]}"#;

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let layered = |one: &str, two: &str| {
        let split = |name: &str, more: &str| {
            format!(
                r#"{{"name": "{name}", "hosts": ["{name}"], "key": [{{"header": "x"}}], {more}, "backends":
                   [{{"name": "s", "baseline": true}}, {{"name": "c", "to": "c", "weight": 1, "maxWeight": 60}}]}}"#
            )
        };
        format!(r#"{{"splits": [{}, {}]}}"#, split("a", one), split("b", two))
    };
    let layer = r#""layer": {"name": "l"}"#;
    for (policy, fault) in [
        (layered(layer, layer), "error[NRW201]: splits[0].layer: layer \"l\" gives away 120"),
        (
            layered(r#""layer": {"name": "l", "holdback": 41}"#, r#""salt": "x""#),
            "splits[0].layer: layer \"l\" gives away 60 by \"maxWeight\" and holds back 41: 101 of 100",
        ),
        (
            layered(layer, r#""layer": {"name": "l"}, "weightTotal": 1000"#),
            "splits[1].layer: \"weightTotal\" differs from that of splits[0]",
        ),
        (
            layered(r#""layer": {"name": "l"}, "salt": "1""#, r#""layer": {"name": "l"}, "salt": "2""#),
            "splits[1].layer: \"salt\" differs",
        ),
        (
            layered(r#""layer": {"name": "l", "holdback": 1}"#, r#""layer": {"name": "l", "holdback": 2}"#),
            "splits[1].layer: \"holdback\" differs",
        ),
        (
            policy(r#""weight": 5"#, r#""layer": {"name": "l"}"#),
            "splits[0].backends[1]: missing field \"maxWeight\"",
        ),
        (
            policy(r#""weight": 101"#, ""),
            "error[NRW201]: splits[0].backends[1].weight: 101 is outside 0 to 100",
        ),
        (policy(r#""weight": 6, "maxWeight": 5"#, ""), "the weight 6 is more than its \"maxWeight\" of 5"),
        (policy(r#""baseline": true"#, ""), "error[NRW202]: splits[0].backends: 2 of 2"),
        (
            policy(r#""weight": 1"#, "").replace(r#""trust": "mesh""#, r#""restoreHost": true"#),
            "error[NRW110]: restoreHost: the original host is read from",
        ),
        (
            policy(r#""weight": 1"#, "")
                .replace(KEY, r#"[{"all": [{"header": "a"}, {"all": [{"header": "b"}]}]}]"#),
            "splits[0].key[0].all[1].all: \"all\" within \"all\"",
        ),
        (
            policy(r#""weight": 1"#, "").replace(KEY, &format!("[{}]", [EIGHT; 3].join(", "))),
            "splits[0].key: 24 sources",
        ),
        (policy(r#""weight": 1"#, r#""onMissingKey": "canry""#), "error[NRW111]: splits[0].onMissingKey"),
    ] {
        let found = compile(&policy).unwrap_err().to_string();
        assert!(found.contains(fault), "{policy}\n{found}");
    }
}

fn policy(canary: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("{more}, ") };
    format!(
        r#"{{"trust": "mesh", "explain": {{"when": {{}}}}, "splits": [{{"name": "stock", "service": "stock.books",
            "key": [{{"header": "x-user-id"}}], {more} "backends": [{{"name": "stable", "baseline": true}},
            {{"name": "canary", "authority": "stock-canary", {canary}}}]}}]}}"#
    )
}

fn compile(policy: &str) -> Result<Splitter, crate::Invalid> {
    Splitter::compile(&PolicyValue::parse(policy.as_bytes()).unwrap())
}

fn stock(more: &str) -> Splitter {
    compile(&policy(r#""weight": 0"#, more)).unwrap()
}

fn decide<'a>(
    splitter: &'a Splitter,
    headers: &[(&'a str, &'a str)],
) -> (crate::Decision<'a>, Option<super::Verdict>) {
    let lines = [(":authority", "stock:8080"), (":path", "/")].iter().chain(headers);
    splitter.decide(Request::new(lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()))))
}

fn backend<'a>(splitter: &'a Splitter, headers: &[(&'a str, &'a str)]) -> &'a str {
    let verdict = decide(splitter, headers).1.unwrap();
    splitter.backend(0, verdict.backend).unwrap()
}

/// What was measured, in short.
fn names(splitter: &Splitter, measured: &[crate::Measurement]) -> Vec<String> {
    let short = |one: &crate::Measurement| {
        let name = &*splitter.common().series[one.series].name;
        let class = name.split("code_class=.=").nth(1).map_or("", |rest| &rest[..3]);
        let name = name.rsplit("narrows_split_").next().unwrap();
        match name {
            "guard" => format!("guard={}", one.value),
            _ => format!("{name} {class}").trim_end().to_owned(),
        }
    };
    measured.iter().map(short).collect()
}
