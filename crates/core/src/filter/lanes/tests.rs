//! What is decided, given what is remembered.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::action::edit::Edit;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Passage, Recall, Recalled};
use crate::policy::Policy;
use crate::policy::decision::Decision;

const POLICY: &str = r#"{"trust": "mesh", "lane": {"header": "x-lane", "values": ["gray", "dev-*"]}}"#;

fn compile(policy: &str) -> Lanes {
    Lanes::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap()
}

fn request<'a>(passage: Passage<'a>, headers: &[(&'a str, &'a str)]) -> Request<'a> {
    let mut request =
        Request::of(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect());
    request.known_mut().passage = passage;
    request
}

fn decide<'a>(
    lanes: &'a Lanes,
    passage: Passage<'a>,
    headers: &[(&'a str, &'a str)],
) -> (Decision<'a>, Verdict) {
    lanes.decide(request(passage, headers))
}

#[test]
fn a_call_gets_what_is_remembered() {
    let lanes = compile(POLICY);
    let sent = |recalled, headers: &[(&'static str, &'static str)]| {
        let (decision, verdict) = decide(&lanes, Passage::Out(recalled), headers);
        let Verdict::WentOut(sent) = verdict else { panic!("{verdict:?}") };
        (sent, decision.request.into_iter().map(Edit::into_owned).collect::<Vec<_>>())
    };
    let gray = || vec![Edit::Set("x-lane".into(), b"gray".as_slice().into())];
    let remembered = Recalled::Lane(b"gray");
    assert_eq!(sent(remembered, &[]), (Sent::Restored(b"gray".to_vec()), gray()));
    assert_eq!(sent(remembered, &[("x-lane", "")]), (Sent::Restored(b"gray".to_vec()), gray()));
    assert_eq!(sent(remembered, &[("x-lane", "dev-1")]), (Sent::Kept(b"dev-1".to_vec()), vec![]));
    assert_eq!(sent(Recalled::Lane(b"old"), &[]), (Sent::Bare, vec![]), "the policy knows it no more");
    for (recalled, what) in [
        (Recalled::Idle, Sent::Idle),
        (Recalled::Unknown, Sent::Missing),
        (Recalled::Bare, Sent::Bare),
        (Recalled::Mixed, Sent::Mixed),
    ] {
        assert_eq!(sent(recalled, &[]), (what, vec![]));
    }
}

#[test]
fn a_request_that_comes_in_is_left_as_it_is() {
    let lanes = compile(POLICY);
    let (decision, verdict) =
        decide(&lanes, Passage::In, &[("x-lane", "gray"), ("b3", "abc-1"), ("x-request-id", "1")]);
    assert!(decision.request.is_empty() && decision.stripped.is_empty());
    assert!(
        matches!(verdict, Verdict::CameIn { ids, lane: Some(lane) } if ids.len() == 2 && lane == b"gray")
    );
    let (_, verdict) = decide(&lanes, Passage::In, &[("x-lane", "blue"), ("b3", "abc-1")]);
    assert!(matches!(verdict, Verdict::CameIn { ids, lane: None } if ids.len() == 1));
    assert_eq!(decide(&lanes, Passage::Through, &[("x-lane", "gray")]).1, Verdict::Aside);
}

#[test]
fn at_the_edge_nothing_is_remembered() {
    let lanes = compile(r#"{"lane": {"header": "x-lane", "values": ["gray"]}}"#);
    assert!(!lanes.remembers());
    for passage in [Passage::In, Passage::Through, Passage::Out(Recalled::Lane(b"gray"))] {
        let (decision, verdict) =
            decide(&lanes, passage, &[("x-lane", "gray"), ("x_lane", "gray"), ("b3", "abc-1")]);
        assert_eq!(decision.stripped, [b"x-lane".as_slice(), b"x_lane"]);
        assert_eq!((verdict, decision.request.len()), (Verdict::Aside, 0));
    }
}

#[test]
fn ids_say_one_thing_together_or_nothing() {
    let said = |found: &[Found<'_>]| {
        let mut gathered = Gathered::default();
        found.iter().for_each(|found| gathered.add(*found));
        gathered.recall()
    };
    let (gray, dev) = (Found::Lane(b"gray"), Found::Lane(b"dev"));
    let lane = Recall::Lane(b"gray".to_vec());
    assert_eq!(said(&[]), Recall::Unknown);
    assert_eq!(said(&[Found::Unknown, gray]), lane);
    assert_eq!(said(&[Found::Mixed, gray, Found::Unknown]), lane);
    assert_eq!(said(&[gray, Found::Mixed, gray]), lane);
    assert_eq!(said(&[Found::Mixed]), Recall::Mixed);
    assert_eq!(said(&[Found::Bare, Found::Mixed]), Recall::Bare);
    assert_eq!(said(&[Found::Bare, gray]), Recall::Mixed);
    assert_eq!(said(&[gray, dev, gray, gray]), Recall::Mixed);
}

#[test]
fn tools_remember_as_a_proxy_would() {
    let lanes = compile(POLICY);
    let of = |lane: &'static str, id: &'static str| {
        request(Passage::In, &[("x-lane", lane), ("x-request-id", id)])
    };
    let recall = |earlier: &[Request<'_>], id: &'static str| {
        lanes.recall(earlier, &request(Passage::Through, &[("x-request-id", id)]), 1_790_000_000_000)
    };
    assert_eq!(recall(&[of("blue", "1")], "1"), Recall::Idle);
    assert_eq!(recall(&[of("gray", "1")], "1"), Recall::Lane(b"gray".to_vec()));
    assert_eq!(recall(&[of("gray", "1")], "2"), Recall::Unknown);
    assert_eq!(recall(&[of("gray", "1"), of("blue", "2")], "2"), Recall::Bare);
    // What came before any lane was not remembered: then the lane is all that is known of the id.
    assert_eq!(recall(&[of("blue", "1"), of("gray", "1")], "1"), Recall::Lane(b"gray".to_vec()));
    assert_eq!(recall(&[of("gray", "2"), of("blue", "1"), of("gray", "1")], "1"), Recall::Mixed);
}
