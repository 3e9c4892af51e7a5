//! The merged policy against its parts one after the other, and its language.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Merged, Working};
use crate::action::edit::Edit;
use crate::action::sanitize::PROVENANCE;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::Policy;

fn compile(policy: &str) -> Result<Merged, String> {
    Merged::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).map_err(|fault| fault.to_string())
}

/// All parts, each doing something to a request for `shop`.
const ALL: &str = r#"{
    "filter": "narrows", "explain": {"when": {}},
    "router": {"strip": ["x-lane"], "rules": [
        {"name": "gold", "matches": [{"headers": {"x-plan": {"exact": "gold"}}}],
         "route": {"to": "gold"}, "requestHeaders": {"set": {"x-lane": "gold"}}},
        {"name": "gone", "matches": [{"path": {"exact": "/gone"}}], "respond": {"status": 410}}]},
    "split": {"splits": [{"name": "shop", "matches": [{"hosts": ["shop"], "headers": {"x-lane": {"exact": "gold"}}}],
        "backends": [{"name": "v1", "baseline": true}, {"name": "v2", "to": "v2", "weight": 100}],
        "key": [{"header": "x-user"}], "override": {"header": "x-canary", "backend": "v2"}}]},
    "tags": {"publish": ["tier"], "tags": {"tier": {"header": "x-lane", "maxValues": 5}},
        "metrics": [{"name": "requests_total", "type": "counter", "tags": ["tier"]}]},
    "egress": {"default": "deny", "rules": [{"name": "shop", "action": "allow", "to": {"hosts": ["shop"]}}]}}"#;

fn headers(more: &[(&'static str, &'static str)]) -> Vec<(&'static [u8], &'static [u8])> {
    let pseudo = [(":method", "GET"), (":path", "/"), (":authority", "shop"), (":scheme", "http")];
    let pseudo = pseudo.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| name != other));
    pseudo.chain(more.iter().copied()).map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

#[test]
fn each_part_judges_what_those_before_it_left() {
    let merged = compile(ALL).unwrap();
    let sent = headers(&[("x-plan", "gold"), ("x-user", "7"), ("x-lane", "forged"), ("x-canary", "never")]);
    let (decision, verdict) = merged.decide(Request::new(sent));
    // The client's lane and override are gone before the router reads, and the split sees the router's.
    assert_eq!(decision.stripped, [b"x-lane".as_slice(), b"x-canary"]);
    assert_eq!(
        decision.request,
        [
            Edit::Set("x-lane".into(), b"gold".as_slice().into()),
            Edit::Set("x-narrows-route".into(), b"gold".as_slice().into()),
            Edit::Set("x-narrows-route".into(), b"v2".as_slice().into()),
        ]
    );
    let state = |wanted: &str| {
        let mut found = decision.state.iter().filter(|(name, _)| *name == wanted);
        let value = found.next().map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        assert!(found.next().is_none(), "{wanted} is written twice");
        value.unwrap_or_default()
    };
    assert_eq!(state("narrows_rule"), "gold");
    assert_eq!((state("narrows_split"), state("narrows_backend")), ("shop".to_owned(), "v2".to_owned()));
    assert_eq!(state("narrows_egress"), "allowed; rule=shop");
    assert_eq!(state(PROVENANCE), "x-lane,x-narrows-*,x-canary,<,=x-lane,=x-narrows-route");
    assert!(verdict.router.is_some() && verdict.tags.is_some());
    let counted: Vec<_> = decision.count.iter().map(|at| &*merged.common().series[*at].name).collect();
    assert!(counted.iter().any(|name| name.contains("rule=.=gold;")), "{counted:?}");
    assert!(counted.iter().any(|name| name.contains("destination=.=shop;")), "{counted:?}");
    // Each filter explains, and in a chain the last comes first in the response.
    let explained: Vec<_> = decision
        .response
        .iter()
        .map(|edit| match edit {
            Edit::Add(_, record) => String::from_utf8_lossy(record).into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    let by: Vec<_> = explained.iter().filter_map(|record| record.split("; ").next()).collect();
    assert_eq!(
        by,
        ["filter=egress-policy", "filter=metric-tags", "filter=canary-split", "filter=header-router"]
    );
}

#[test]
fn after_an_answer_only_the_tags_still_count() {
    let merged = compile(ALL).unwrap();
    let (decision, verdict) =
        merged.decide(Request::new(headers(&[(":path", "/gone"), ("x-plan", "tin"), ("x-user", "7")])));
    assert_eq!(decision.reply.as_ref().map(|reply| reply.status), Some(410));
    assert!(verdict.router.is_some() && verdict.tags.is_some());
    assert!(verdict.split.is_none() && verdict.egress.is_none());
    assert_eq!(decision.response.len(), 1, "{:?}", decision.response);
}

#[test]
fn the_common_fields_stand_at_the_top() {
    for (policy, fault) in [
        (r#"{"router": {"trust": "edge"}}"#, "NRW101]: router.trust: \"trust\" holds for all parts"),
        (r#"{"split": {"filter": "canary-split"}}"#, "split.filter: \"filter\" holds for all parts"),
        (r#"{"tags": {"explain": {"when": {}}}}"#, "tags.explain: "),
        (r#"{"egress": {"ruls": []}}"#, "egress.ruls: unknown field \"ruls\"; did you mean \"rules\"?"),
        (r#"{"routr": {}}"#, "routr: unknown field \"routr\"; did you mean \"router\"?"),
        (r#"{"router": {"rules": [{"name": 1}]}}"#, "router.rules[0].name: "),
        (r#"{"split": {"restoreHost": true}}"#, "split.restoreHost: "),
        (r#"{"rules": []}"#, "unknown field \"rules\""),
        (r#"{"filter": "header-router"}"#, "NRW109"),
        (r#"{"trust": "edgy", "router": {}}"#, "trust: "),
    ] {
        let refused = compile(policy).map(drop).unwrap_err();
        assert!(refused.contains(fault), "{policy}: {refused}");
    }
    let both = compile(r#"{"router": {"rules": 1}, "egress": {"rules": 1}}"#).map(drop).unwrap_err();
    assert!(both.contains("router.rules: ") && both.contains("egress.rules: "), "{both}");
}

#[test]
fn a_mode_holds_within_that_of_the_policy() {
    let rule = r#""rules": [{"name": "a", "route": {"to": "v2"}}]"#;
    let edits = |mode: &str, of_part: &str| {
        let policy = format!(r#"{{{mode} "trust": "mesh", "router": {{{of_part} {rule}}}}}"#);
        let merged = compile(&policy).unwrap();
        merged.decide(Request::new(headers(&[]))).0.request.len()
    };
    let (report, off, enforce) = (r#""mode": "report","#, r#""mode": "off","#, r#""mode": "enforce","#);
    assert_eq!((edits("", ""), edits("", enforce), edits(enforce, "")), (1, 1, 1));
    assert_eq!((edits(report, ""), edits("", report), edits(report, enforce)), (0, 0, 0));
    assert_eq!((edits(off, ""), edits("", off), edits(off, report)), (0, 0, 0));
}

#[test]
fn an_empty_policy_passes_everything_and_one_without_rules_strips() {
    let stripped = |policy: &str| {
        let merged = compile(policy).unwrap();
        let sent = headers(&[("x-narrows-route", "v9")]);
        merged.decide(Request::new(sent)).0.stripped.len()
    };
    assert_eq!((stripped("{}"), stripped(r#"{"router": {}}"#)), (0, 0));
    assert_eq!((stripped(r#"{"router": {"rules": []}}"#), stripped(r#"{"trust": "edge"}"#)), (1, 0));
    assert_eq!(
        (
            stripped(r#"{"trust": "edge", "router": {}}"#),
            stripped(r#"{"trust": "mesh", "router": {"rules": []}}"#)
        ),
        (1, 0)
    );
}

#[test]
fn headers_in_memory_are_edited_as_envoy_edits_its_own() {
    let set = |name: &'static str, value: &'static str| Edit::Set(name.into(), value.as_bytes().into());
    let add = |name: &'static str, value: &'static str| Edit::Add(name.into(), value.as_bytes().into());
    let remove = |name: &'static str| Edit::Remove(name.into());
    let mut working = Working::new(headers(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("via", "p")]));
    working.edit(&[
        set("x-a", "4"),
        add("via", "q"),
        add("x-b", "5"),
        set(":path", "/new"),
        remove("x-none"),
    ]);
    let text = |working: &Working<'_>| {
        let lines = working.iter().map(|(name, value)| {
            format!("{} {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        text(&working),
        [
            ":method GET",
            ":authority shop",
            ":scheme http",
            ":path /new",
            "x-b 2",
            "via p,q",
            "x-a 4",
            "x-b 5"
        ]
    );
    working.edit(&[remove("x-a"), remove("x-b"), set("x-b", "6"), remove("via")]);
    assert_eq!(text(&working)[4..], ["x-b 6"]);
    working.remove(vec![b"x-b", b":path", b"x-none"]);
    assert_eq!(text(&working).len(), 3);
}
