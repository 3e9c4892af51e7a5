//! A number that tells policies apart, whatever wrote their text.
//!
//! A policy reaches a proxy through YAML, an API server and a control plane. On the way its fields change
//! their order and its numbers their form. So the number is made of the canonical form of RFC 8785, in
//! which equal policies are equal texts. It is no security hash: whoever wants to can find two policies
//! with one number.

use std::cmp::Ordering;

use xxhash_rust::xxh64::Xxh64;

use crate::language::policy_value::PolicyValue;
use crate::order;

/// What a double holds exactly, for a gauge is one in Prometheus.
const EXACT: u64 = (1 << 53) - 1;

/// The number of a policy: xxHash64 of its canonical form, with seed 0, of which the low 53 bits are left.
/// It is never 0, which means that there is none.
///
/// No policy that loads has a fraction. An integer beyond 2^53 stands as it was written; a control plane
/// delivers none.
pub fn policy_digest(policy: &PolicyValue) -> u64 {
    let mut form = Form(Xxh64::new(0));
    form.value(policy);
    (form.0.digest() & EXACT).max(1)
}

/// The canonical form, as it is hashed.
struct Form(Xxh64);

impl Form {
    fn put(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn value(&mut self, value: &PolicyValue) {
        match value {
            PolicyValue::Null | PolicyValue::Fraction(_) => self.put(b"null"),
            PolicyValue::Flag(true) => self.put(b"true"),
            PolicyValue::Flag(false) => self.put(b"false"),
            PolicyValue::Integer(number) => self.put(number.to_string().as_bytes()),
            PolicyValue::Text(text) => self.text(text),
            PolicyValue::List(elements) => {
                let mut before: &[u8] = b"[";
                for element in elements {
                    self.put(before);
                    self.value(element);
                    before = b",";
                }
                self.put(if elements.is_empty() { b"[]" } else { b"]" });
            }
            PolicyValue::Table(fields) => self.table(fields),
        }
    }

    /// The fields in the order of their names.
    fn table(&mut self, fields: &[(String, PolicyValue)]) {
        let field = |place: u32| usize::try_from(place).ok().and_then(|place| fields.get(place));
        let sorted = order::sorted(fields.len(), &|a, b| match (field(a), field(b)) {
            (Some((a, _)), Some((b, _))) => by_name(a, b),
            _ => Ordering::Equal,
        });
        let mut before: &[u8] = b"{";
        for (name, value) in sorted.into_iter().filter_map(field) {
            self.put(before);
            self.text(name);
            self.put(b":");
            self.value(value);
            before = b",";
        }
        self.put(if fields.is_empty() { b"{}" } else { b"}" });
    }

    /// A text in quotes. Only what JSON requires is escaped.
    fn text(&mut self, text: &str) {
        self.put(b"\"");
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, 0..b' ' | b'"' | b'\\')) {
            let (plain, special) = rest.split_at_checked(at).unwrap_or_default();
            let Some((byte, after)) = special.split_first() else { break };
            self.put(plain);
            self.escape(*byte);
            rest = after;
        }
        self.put(rest);
        self.put(b"\"");
    }

    fn escape(&mut self, byte: u8) {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            _ => {
                let digit =
                    |half: u8| char::from_digit(u32::from(half), 16).map_or(b'0', |digit| digit as u8);
                return self.put(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
        };
        self.put(&[b'\\', short]);
    }
}

/// The order of names as UTF-16 has it: what lies beyond its first plane is written with numbers below the
/// end of that plane.
fn by_name(a: &str, b: &str) -> Ordering {
    let rank = |c: char| if ('\u{e000}'..='\u{ffff}').contains(&c) { (1, c) } else { (0, c) };
    a.chars().map(rank).cmp(b.chars().map(rank))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;
    use xxhash_rust::xxh64::xxh64;

    use super::{EXACT, by_name, policy_digest};
    use crate::language::policy_value::PolicyValue;

    fn of(text: &str) -> u64 {
        policy_digest(&PolicyValue::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn it_is_the_hash_of_the_canonical_form() {
        for (written, canonical) in [
            ("", "{}"),
            ("{ }", "{}"),
            (r#"{"b": [ ], "a": [1, 2.0, -3e2]}"#, r#"{"a":[1,2,-300],"b":[]}"#),
            (r#"{"t": true, "f": false, "n": null, "o": {}}"#, r#"{"f":false,"n":null,"o":{},"t":true}"#),
            // The examples of RFC 8785, section 3.2.
            (
                "{\"\\u20ac\": \"Euro\", \"\\r\": \"CR\", \"\\ufb33\": \"D\", \"1\": \"One\", \
                 \"\\ud83d\\ude00\": \"Smile\", \"\\u0080\": \"C\", \"\\u00f6\": \"o\"}",
                "{\"\\r\":\"CR\",\"1\":\"One\",\"\u{80}\":\"C\",\"ö\":\"o\",\"€\":\"Euro\",\
                 \"😀\":\"Smile\",\"\u{fb33}\":\"D\"}",
            ),
            (
                r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\b\f\t\u007f"}"#,
                "{\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\u{7f}\"}",
            ),
        ] {
            assert_eq!(of(written), (xxh64(canonical.as_bytes(), 0) & EXACT).max(1), "{written}");
        }
    }

    #[test]
    fn it_differs_where_policies_do() {
        let all = [r#"{"a": 1}"#, r#"{"a": 2}"#, r#"{"a": "1"}"#, r#"{"b": 1}"#, r#"{"a": [1]}"#, "{}"];
        for (i, one) in all.iter().enumerate() {
            assert!(of(one) <= 1 << 53);
            assert!(all.iter().skip(i + 1).all(|other| of(one) != of(other)), "{one}");
        }
    }

    #[test]
    fn names_are_in_the_order_of_utf_16() {
        let mut names = ["\u{fb33}", "😀", "€", "a", "", "ab", "\u{e000}", "\u{10ffff}"];
        let mut expected = names;
        names.sort_by(|a, b| by_name(a, b));
        expected.sort_by_key(|name| name.encode_utf16().collect::<Vec<_>>());
        assert_eq!(names, expected);
    }
}
