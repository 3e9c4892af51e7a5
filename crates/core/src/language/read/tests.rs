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

#[test]
fn a_number_that_is_too_large_is_no_fraction() {
    for (written, expected) in [
        (
            "99999999999999999999",
            "error[NRW107]: this number is outside 0 to 5; write a number in that range",
        ),
        ("-1e300", "error[NRW107]: this number is outside 0 to 5; write a number in that range"),
        ("9007199254740994.0", "error[NRW107]: this number is outside 0 to 5; write a number in that range"),
        (
            "18446744073709551615",
            "error[NRW107]: this number is outside 0 to 5; write a number in that range",
        ),
        (
            "9223372036854775807",
            "error[NRW107]: 9223372036854775807 is outside 0 to 5; write a number in that range",
        ),
        ("4.5", "error[NRW102]: expected an integer, found a fraction; write an integer here"),
        ("1e-400", "0"),
        ("-0", "0"),
        ("5.0", "5"),
        ("0.5e1", "5"),
    ] {
        let tree = PolicyValue::parse(format!("{{\"a\": {written}}}").as_bytes()).unwrap();
        let PolicyValue::Table(fields) = tree else { panic!() };
        let read = integer(&fields[0].1, 0..=5);
        let said = read.map_or_else(|invalid| invalid.faults()[0].to_string(), |number| number.to_string());
        assert_eq!(said, expected, "{written}");
    }
}
