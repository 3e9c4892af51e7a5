#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Fields, integer, list};
use crate::language::describe::{Object, field, object};
use crate::language::policy_value::PolicyValue;

static ONLY_A: Object =
    object!("a", Any, "For this test.", [], [field!("a", List(&Integer(0, 5), 0, 8), Optional, "a list")]);

#[test]
fn every_fault_is_named_with_its_place() {
    let tree = PolicyValue::parse(br#"{"a": [1, "x", 7], "b": 1, "a": []}"#).unwrap();
    let refused = Fields::open(&tree, &ONLY_A).err().unwrap();
    let places: Vec<_> = refused.faults().iter().map(|f| f.place.to_string()).collect();
    assert_eq!(places, ["b", "a"]);

    let tree = PolicyValue::parse(br#"{"a": [1, "x", 7]}"#).unwrap();
    let fields = Fields::open(&tree, &ONLY_A).unwrap();
    let refused = fields.required("a", |t| list(t, 8, |e| integer(e, 0..=5))).unwrap_err();
    let lines: Vec<_> = refused.faults().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "error[NRW102]: a[1]: expected an integer, found a string; write an integer here",
            "error[NRW107]: a[2]: 7 is outside 0 to 5; write a number in that range",
        ]
    );
}
