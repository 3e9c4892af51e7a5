//! Every source gives the key that a plain header would give.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Splitter;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Known, Request};
use crate::policy::Policy;

/// A request's bucket under one key source.
fn bucket(source: &str, request: Request<'_>) -> Option<u32> {
    let policy = format!(
        r#"{{"trust": "mesh", "splits": [{{"name": "s", "key": [{source}],
            "backends": [{{"name": "v1", "baseline": true}}, {{"name": "v2", "to": "v2", "weight": 5}}]}}]}}"#
    );
    let splitter = Splitter::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap();
    splitter.decide(request).1.unwrap().bucket
}

fn with(headers: &[(&'static str, &'static str)]) -> Request<'static> {
    let own = [(":method", "GET"), (":path", "/"), (":authority", "A.example:80")];
    let all: Vec<_> = own.iter().chain(headers).map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
    Request::new(all)
}

fn plain(key: &'static str) -> Option<u32> {
    let bucket = bucket(r#"{"header": "x-k"}"#, with(&[("x-k", key)]));
    assert!(bucket.is_some());
    bucket
}

#[test]
fn members_traces_and_hosts() {
    let member = r#"{"header": "baggage", "member": "userId", "decode": "percent"}"#;
    assert_eq!(bucket(member, with(&[("baggage", "tenant=t1,userId=al%20ice;p=1")])), plain("al ice"));
    assert_eq!(bucket(member, with(&[("baggage", "userId=a"), ("baggage", "userId=%61")])), plain("a"));
    assert_eq!(bucket(member, with(&[("baggage", "userId=a,userId=b")])), None);
    assert_eq!(bucket(member, with(&[("baggage", "userid=a")])), None);
    let trace = r#"{"traceId": true}"#;
    let low = plain("a3ce929d0e0e4736");
    for (name, value) in [
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01"),
        ("b3", "A3CE929D0E0E4736-00f067aa0ba902b7"),
        ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ] {
        assert_eq!(bucket(trace, with(&[(name, value)])), low, "{name} {value}");
    }
    assert_eq!(bucket(trace, with(&[("x-request-id", "a")])), None);
    let [one, other] =
        ["00-4bf92f3577b34da6a3ce929d0e0e4736-1-00", "00-4bf92f3577b34da6a3ce929d0e0e4737-1-00"];
    assert_eq!(bucket(trace, with(&[("traceparent", one), ("traceparent", one)])), low);
    assert_eq!(bucket(trace, with(&[("traceparent", one), ("traceparent", other)])), None);
    assert_eq!(
        bucket(trace, with(&[("traceparent", other), ("traceparent", one), ("b3", "1111111111111111")])),
        None
    );
    assert_eq!(bucket(r#"{"host": true}"#, with(&[])), plain("a.example"));
    let cookie = r#"{"cookie": "u", "decode": "percent", "lowercase": true}"#;
    assert_eq!(bucket(cookie, with(&[("cookie", "u=Cyd%40example.com")])), plain("cyd@example.com"));
}

#[test]
fn what_earlier_filters_left() {
    let field =
        |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let entry = |name: &str, value: &[u8]| field(1, &[field(1, name.as_bytes()), field(2, value)].concat());
    let metadata = entry("jwt", &entry("sub", &field(3, b"alice")));
    let claim = r#"{"metadata": ["jwt", "sub"]}"#;
    assert_eq!(
        bucket(claim, with(&[]).knowing(Known { metadata: Some(&metadata), ..Known::default() })),
        plain("alice")
    );
    assert_eq!(bucket(claim, with(&[])), None);
    let objects = [("app.user", Some(b"bob".to_vec()))];
    let state = r#"{"filterState": "app.user"}"#;
    assert_eq!(
        bucket(state, with(&[]).knowing(Known { filter_state: &objects, ..Known::default() })),
        plain("bob")
    );
    assert_eq!(bucket(state, with(&[])), None);
}
