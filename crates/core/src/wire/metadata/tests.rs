#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{decimal, values};

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut message = vec![number << 3 | 2];
    while length > 0x7f {
        message.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).unwrap());
    [message, bytes.to_vec()].concat()
}

fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    field(1, &[field(1, name.as_bytes()), field(2, value)].concat())
}

fn text(text: &str) -> Vec<u8> {
    field(3, text.as_bytes())
}

fn number(number: f64) -> Vec<u8> {
    [&[2 << 3 | 1][..], &number.to_le_bytes()].concat()
}

fn claims() -> Vec<u8> {
    let list =
        [text("beta"), number(7.0), vec![4 << 3, 1], field(6, &field(1, &text("deep"))), vec![1 << 3, 0]];
    let list: Vec<u8> = list.iter().flat_map(|element| field(1, element)).collect();
    let inner = entry("tier", &text("gold"));
    let long = "x".repeat(300);
    let payload = [
        entry("sub", &text("alice")),
        entry("level", &number(-2.5)),
        entry("admin", &[4 << 3, 1]),
        entry("none", &[1 << 3, 0]),
        entry("groups", &field(6, &list)),
        entry("plan", &field(5, &inner)),
        entry("", &text("nameless")),
        entry(&long, &text(&long)),
    ]
    .concat();
    let of = |name: &str, table: &[u8]| entry(name, table);
    [
        of("other", &entry("payload", &text("not this"))),
        of("envoy.filters.http.jwt_authn", &entry("payload", &field(5, &payload))),
    ]
    .concat()
}

fn read(metadata: &[u8], path: &[&str]) -> Vec<String> {
    values(metadata, path).into_iter().map(|value| String::from_utf8(value.into_owned()).unwrap()).collect()
}

#[test]
fn a_path_leads_to_texts() {
    let all = claims();
    let claim = |names: &[&str]| read(&all, &[&["envoy.filters.http.jwt_authn", "payload"], names].concat());
    assert_eq!(claim(&["sub"]), ["alice"]);
    assert_eq!(claim(&["level"]), ["-2.5"]);
    assert_eq!(claim(&["admin"]), ["true"]);
    assert_eq!(claim(&["groups"]), ["beta", "7", "true"]);
    assert_eq!(claim(&["plan", "tier"]), ["gold"]);
    assert_eq!(claim(&[""]), ["nameless"]);
    assert_eq!(claim(&[&"x".repeat(300)]), ["x".repeat(300)]);
    for nothing in [&["none"][..], &["plan"], &["sub", "more"], &["missing"], &[]] {
        assert_eq!(claim(nothing), Vec::<String>::new(), "{nothing:?}");
    }
    assert_eq!(read(&all, &["other", "payload"]), ["not this"]);
    assert_eq!(read(&all, &["other"]), Vec::<String>::new());
    assert_eq!(read(&all, &[]), Vec::<String>::new());
}

/// Envoy's bytes are whole. Whatever else comes must not stop the filter.
#[test]
fn broken_bytes_are_no_values() {
    let all = claims();
    for end in 0..all.len() {
        read(&all[..end], &["envoy.filters.http.jwt_authn", "payload", "groups"]);
        let mut other = all.clone();
        for byte in [0, 0x7f, 0x80, 0xff] {
            other[end] = byte;
            values(&other, &["envoy.filters.http.jwt_authn", "payload", "groups"]);
        }
    }
}

#[test]
fn numbers_as_json_writes_them() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (7.0, "7"),
        (-7.0, "-7"),
        (1e15, "1000000000000000"),
        (9_007_199_254_740_993.0, "9007199254740992"),
        (0.1, "0.1"),
        (-0.05, "-0.05"),
        (1.5, "1.5"),
        (12.345_678, "12.345678"),
        (1_796_000_000.25, "1796000000.25"),
        (0.000_000_1, "0.0000001"),
    ] {
        assert_eq!(decimal(number).as_deref(), Some(text), "{number}");
    }
    for number in [f64::NAN, f64::INFINITY, 1e19, -1e300, 1e-20, 0.1 + 0.2] {
        assert_eq!(decimal(number), None, "{number}");
    }
}
