//! A policy as written, before it means anything.
//!
//! `serde_json::Value` would lose what must be refused: a field written twice.
//! So the text is read into a tree of our own, which keeps every field in order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::invalid::{Code, Invalid};
use crate::limits;

/// Any JSON (or YAML) value.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A whole number. Istio delivers every number as a double: `5.0` is 5.
    Integer(i64),
    /// A number with a fraction, or too large to be exact. No field takes one.
    Fraction(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// A table: its fields in the order written, repeated ones included.
    Table(Vec<(String, Self)>),
}

impl Tree {
    /// Reads the text of a policy. No bytes at all are an empty table: Istio sends
    /// none for an absent `pluginConfig`.
    pub fn parse(text: &[u8]) -> Result<Self, Invalid> {
        let start = text.trim_ascii_start();
        if start.is_empty() {
            return Ok(Self::Table(Vec::new()));
        }
        if text.len() > limits::POLICY_BYTES {
            return Err(Invalid::new(
                Code::TooMany,
                format!("the policy has {} bytes, more than {}", text.len(), limits::POLICY_BYTES),
                "split it by workload",
            ));
        }
        if !start.starts_with(b"{") {
            return Err(Invalid::new(
                Code::NotJson,
                "the policy is not a JSON object",
                "write it as {...}; in an Envoy file give it as a google.protobuf.StringValue, not a Struct",
            ));
        }
        serde_json::from_slice(start).map_err(|e| {
            Invalid::new(Code::NotJson, format!("the policy is not JSON: {e}"), "mend the text there")
        })
    }

    /// What this value is, for "expected a list, found a string".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Fraction(_) => "a fraction",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond i64 it only has to be refused")]
        Ok(i64::try_from(value).map_or(Tree::Fraction(value as f64), Tree::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        // Above 2^53 a double no longer holds every integer, so what was written is lost.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        Ok(if value.trunc().total_cmp(&value).is_eq() && value.abs() <= EXACT {
            Tree::Integer(value as i64)
        } else {
            Tree::Fraction(value)
        })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut table = Vec::new();
        while let Some(field) = map.next_entry()? {
            table.push(field);
        }
        Ok(Tree::Table(table))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Tree;

    #[test]
    fn nothing_is_an_empty_policy() {
        assert_eq!(Tree::parse(b" \n"), Ok(Tree::Table(vec![])));
    }

    #[test]
    fn doubles_that_are_whole_are_integers() {
        let tree = Tree::parse(br#"{"a": 5.0, "c": 5.5, "d": 1e300}"#).unwrap();
        let Tree::Table(fields) = tree else { panic!() };
        let values: Vec<_> = fields.into_iter().map(|(_, v)| v.kind()).collect();
        assert_eq!(values, ["an integer", "a fraction", "a fraction"]);
    }

    #[test]
    fn repeated_fields_are_kept() {
        let Ok(Tree::Table(fields)) = Tree::parse(br#"{"a": 1, "a": 2}"#) else { panic!() };
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn a_struct_in_protobuf_says_so() {
        let message = Tree::parse(b"\n\x1d\n\x03big").unwrap_err().to_string();
        assert!(message.contains("StringValue"), "{message}");
    }
}
