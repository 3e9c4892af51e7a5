#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::compile;
use crate::egress::learn::Table;
use crate::policy::Policy;

#[test]
fn tables_are_bounded_merged_and_told() {
    let policy = compile(r#"{"learn": {"maxHosts": 2, "logEvery": "10s"}}"#).unwrap();
    let learning = policy.learning().unwrap();
    let (mut one, mut two) = (Table::default(), Table::default());
    one.note(b"b.example", b"GET", 5_000, learning);
    one.note(b"b.example", b"GET", 6_000, learning);
    one.note(b"a.example", b"POST", 7_000, learning);
    one.note(b"c.example", b"GET", 7_000, learning);
    assert_eq!((one.hosts(), one.dropped()), (2, 1));
    two.note(b"b.example", b"BREW", 4_000, learning);
    two.note(b"d.example", b"GET", 4_000, learning);

    let mut shared = Table::decode(b"", learning);
    assert_eq!(
        shared.merge(&one, learning),
        [(b"a.example".as_slice().into(), 1), (b"b.example".as_slice().into(), 2)]
    );
    assert_eq!(shared.merge(&two, learning), [(b"b.example".as_slice().into(), 1)]);
    assert_eq!((shared.hosts(), shared.dropped()), (2, 2));
    let mut shared = Table::decode(&shared.encode(), learning);

    assert_eq!(shared.tell(9_999, learning), None);
    assert_eq!(
        shared.tell(20_000, learning).unwrap(),
        "2 unlisted destinations, 2 asked for since the last line: a.example (POST 1, first 7, last 7), \
         b.example (GET 2, OTHER 1, first 4, last 6); 2 requests to more hosts than \"maxHosts\"; a policy that allows them: \
         {\"filter\":\"egress-policy\",\"default\":\"deny\",\"rules\":[\
         {\"name\":\"learned-1\",\"action\":\"allow\",\"to\":{\"hosts\":[\"a.example\"],\"methods\":[\"POST\"]}},\
         {\"name\":\"learned-2\",\"action\":\"allow\",\"to\":{\"hosts\":[\"b.example\"]}}]}"
    );
    // Nothing new, no line.
    assert_eq!(shared.tell(60_000, learning), None);
    compile(&shared.policy()).unwrap();
}

#[test]
fn a_damaged_table_is_read_as_far_as_it_goes() {
    let policy = compile(r#"{"learn": {}}"#).unwrap();
    let learning = policy.learning().unwrap();
    for text in [
        b"\xff\xfe".as_slice(),
        b"x y\nz",
        b"1 2\na.example",
        b"1 2\na.example 5 6 7 8 9 1 2 3 4 5 6 7 8 9\n\n",
    ] {
        Table::decode(text, learning).encode();
    }
}

#[test]
fn only_what_no_rule_names_is_learnt() {
    let policy = compile(super::DESIGN).unwrap();
    let unlisted =
        |authority| super::decide(&policy, &super::Ask { authority, ..super::CHECKOUT }).0.unlisted;
    assert_eq!(unlisted("New.Example:443").unwrap().host.as_ref(), b"new.example");
    for known in ["api.stripe.com", "169.254.169.254", "10.0.0.1", "a.vendor.example", "a@b"] {
        assert_eq!(unlisted(known), None, "{known}");
    }
}
