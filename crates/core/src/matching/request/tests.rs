#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{FieldValue, Request};

fn request<'a>(headers: &[(&'a str, &'a [u8])]) -> Request<'a> {
    Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), *value)))
}

#[test]
fn the_query_is_not_the_path() {
    let target = |target: &'static str| {
        let r = request(&[(":path", target.as_bytes())]);
        (r.path().to_vec(), r.query().map(<[u8]>::to_vec))
    };
    assert_eq!(target("/a?b?c"), (b"/a".to_vec(), Some(b"b?c".to_vec())));
    assert_eq!(target("/a?"), (b"/a".to_vec(), Some(vec![])));
    assert_eq!(target("/a"), (b"/a".to_vec(), None));
    assert_eq!(target(""), (vec![], None));
}

#[test]
fn repeated_headers_are_joined() {
    let r = request(&[("x", b"a"), ("y", b""), ("x", b"\xff")]);
    assert_eq!(r.header(b"x"), FieldValue::Multiple(b"a,\xff".to_vec().into()));
    assert_eq!(r.header(b"y"), FieldValue::Single(b"".into()));
    assert_eq!(r.header(b"z"), FieldValue::Absent);
}

#[test]
fn a_value_has_no_blanks_around_it() {
    let r = request(&[(":path", b"/ "), ("x", b" a b\t"), ("y", b"c"), ("x", b"\t "), ("x", b"d")]);
    assert_eq!(r.values(b"x").collect::<Vec<_>>(), [b"a b".as_slice(), b"", b"d"]);
    assert_eq!(r.header(b"x"), FieldValue::Multiple(b"a b,,d".to_vec().into()));
    assert_eq!(r.target(), b"/ ", "a pseudo header is as Envoy took it");
    assert!(r.is_padded(b"x") && !r.is_padded(b"y") && !r.is_padded(b":path"));
}

#[test]
fn a_grpc_call_is_what_envoy_takes_for_one() {
    let is_grpc = |kind: &'static [u8]| request(&[("content-type", kind)]).is_grpc();
    assert!(is_grpc(b"application/grpc") && is_grpc(b"application/grpc+proto"));
    assert!(
        !is_grpc(b"application/grpc-web") && !is_grpc(b" application/grpc") && !is_grpc(b"application/grpc ")
    );
    assert!(!request(&[]).is_grpc());
}

#[test]
fn cookies_are_read_across_repeats() {
    let r = request(&[("cookie", b"a=1; b=2"), ("cookie", b"c=3;a=4")]);
    assert_eq!(r.cookie(b"b"), FieldValue::Single(b"2".into()));
    assert_eq!(r.cookie(b"c"), FieldValue::Single(b"3".into()));
    assert_eq!(r.cookie(b"a"), FieldValue::Multiple(b"1".into()));
    assert_eq!(r.cookie(b"d"), FieldValue::Absent);
}

#[test]
fn removal_spares_pseudo_headers() {
    let mut r = request(&[(":path", b"/"), ("x-a", b"1"), ("x-b", b"2"), ("x-a", b"3")]);
    assert_eq!(r.remove_headers(|name| name != b"x-b"), [b"x-a"]);
    assert_eq!(r.headers().len(), 2);
}
