//! Values of `rewrite.query` that have no room.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::language::limits;

/// The target of a request after a rule with these edits of its query.
fn target(edits: &str, sent: &[u8], headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    let rule = format!(r#"{{ "name": "r", "rewrite": {{ "query": {edits} }} }}"#);
    let router = compile(&format!(r#"{{ "trust": "mesh", "rules": [{rule}] }}"#)).unwrap();
    let headers = [&[(b":path".as_slice(), sent)], headers].concat();
    let (decision, _) = router.decide(Request::new(headers));
    let path = decision.request.iter().find_map(|edit| match edit {
        Edit::Set(name, value) if &**name == ":path" => Some(value.to_vec()),
        _ => None,
    });
    path.unwrap()
}

#[test]
fn a_value_that_is_too_long_leaves_the_other_edits() {
    let edits = r#"{ "remove": ["debug"], "set": { "lang": "de", "user": "%REQ(x-user)%" },
        "add": { "also": "%REQ(x-user)%" } }"#;
    let target = |sent: &[u8], user: &[u8]| target(edits, sent, &[(b"x-user", user)]);
    assert_eq!(target(b"/?debug=1", &b"!".repeat(22_000)), b"/?lang=de");
    // As much again has no room beside it.
    let half = target(b"/?debug=1", &b"u".repeat(40_000));
    assert!(half.starts_with(b"/?lang=de&user=u") && !half.windows(5).any(|five| five == b"also="));
    // What was sent stays, however long it is.
    let pad = [b"/?pad=".as_slice(), &b"x".repeat(70_000)].concat();
    let wanted = [&pad, b"&lang=de&user=u1&also=u1".as_slice()].concat();
    assert_eq!(target(&[&pad, b"&debug=1".as_slice()].concat(), b"u1"), wanted);
}

/// The longest goes first, wherever it stands: who makes it long does not choose what becomes of the others.
#[test]
fn a_long_value_takes_the_place_of_no_other() {
    let edits = r#"{ "set": { "lang": "%REQ(x-lang)%", "user": "%REQ(x-user)%" }, "add": { "more": "%REQ(x-more)%" } }"#;
    for lengths in [[22_000, 0], [21_841, 0], [0, 21_841], [10_922, 10_922], [22_000, 22_000], [9, 9]] {
        let [lang, more] = lengths.map(|length| b"!".repeat(length));
        let headers: [(&[u8], &[u8]); 3] = [(b"x-lang", &lang), (b"x-user", b"alice"), (b"x-more", &more)];
        let path = target(edits, b"/?user=admin", &headers);
        assert!(path.starts_with(b"/?user=alice"), "{lengths:?}");
        assert!(path.len() < limits::RENDERED + 10, "{lengths:?}: {}", path.len());
    }
    let all: [(&[u8], &[u8]); 3] = [(b"x-lang", b"de"), (b"x-user", b"alice"), (b"x-more", b"1")];
    assert_eq!(target(edits, b"/?user=admin", &all), b"/?user=alice&lang=de&more=1");
}
