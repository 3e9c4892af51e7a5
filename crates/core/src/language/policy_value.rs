//! A policy as written, before anything is interpreted.
//!
//! `serde_json::Value` would lose a field that is written twice, which must be refused. So the text is
//! read into a tree of our own, which keeps every field in order.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;

/// Any JSON (or YAML) value.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyValue {
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

impl PolicyValue {
    /// Reads the text of a policy. An empty text is an empty table: Istio sends one for an absent
    /// `pluginConfig`.
    pub fn parse(text: &[u8]) -> Result<Self, Invalid> {
        // First, whatever the text contains, and even if it contains nothing.
        if text.len() > limits::POLICY_BYTES {
            return Err(too_long());
        }
        let start = text.trim_ascii_start();
        if start.is_empty() {
            return Ok(Self::Table(Vec::new()));
        }
        if !start.starts_with(b"{") {
            return Err(Invalid::new(
                Code::NotJson,
                "the policy is not a JSON object",
                "write it as {...}; in an Envoy file give it as a google.protobuf.StringValue, not a Struct",
            ));
        }
        let left = Cell::new(limits::TREE_BYTES);
        let mut text = serde_json::Deserializer::from_slice(start);
        let tree = Reader(&left).deserialize(&mut text).and_then(|tree| text.end().map(|()| tree));
        tree.map_err(|e| {
            if left.get() == 0 {
                return too_large();
            }
            Invalid::new(Code::NotJson, format!("the policy is not JSON: {e}"), "fix the JSON syntax there")
        })
    }

    /// Takes the elements out of the list in a field, and leaves an empty list there.
    pub(crate) fn take_list(&mut self, name: &str) -> Vec<Self> {
        let Self::Table(fields) = self else { return Vec::new() };
        match fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, Self::List(elements))) => std::mem::take(elements),
            _ => Vec::new(),
        }
    }

    /// Takes the value of a field out of a table; none if there is none.
    pub(crate) fn take_field(&mut self, name: &str) -> Option<Self> {
        let Self::Table(fields) = self else { return None };
        let (_, value) = fields.iter_mut().find(|(field, _)| field == name)?;
        Some(std::mem::replace(value, Self::Null)).filter(|value| *value != Self::Null)
    }

    /// Whether it is a number without a fraction: it may be too large for any field.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Fraction(number) => number.trunc().total_cmp(number).is_eq(),
            _ => false,
        }
    }

    /// The kind of this value, for "expected a list, found a string".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "a boolean",
            _ if self.is_whole() => "an integer",
            Self::Integer(_) | Self::Fraction(_) => "a fraction",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A policy of too many bytes.
pub(crate) fn too_long() -> Invalid {
    Invalid::new(Code::TooMany, "the policy has more than 4194304 bytes", "split it by workload")
}

/// A policy that would take too much memory before anything is made from it.
pub(crate) fn too_large() -> Invalid {
    Invalid::new(
        Code::TooHeavy,
        "the policy would take more than 24 MiB to read",
        "split it by workload; no list has more than 65536 elements",
    )
}

/// The messages above contain the limits. Formatting a number would be more code in every module.
const _: () = assert!(
    limits::POLICY_BYTES == 4_194_304 && limits::TREE_BYTES == 24 << 20 && limits::ELEMENTS == 65_536
);

/// The bytes that a text takes where it is kept: the allocator adds some.
pub(crate) fn text_bytes(text: &str) -> usize {
    text.len().saturating_add(12)
}

/// The bytes that an element of a list, or a field of a table, takes besides its contents.
pub(crate) const ELEMENT: usize = 16;
pub(crate) const FIELD: usize = 32;

impl<'de> Deserialize<'de> for PolicyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader(&Cell::new(limits::TREE_BYTES)).deserialize(deserializer)
    }
}

/// Reads a tree, and counts down the bytes that it may still take.
#[derive(Clone, Copy)]
struct Reader<'l>(&'l Cell<usize>);

impl Reader<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().saturating_sub(bytes);
        self.0.set(left);
        if left > 0 { Ok(()) } else { Err(E::custom("too large")) }
    }

    fn within<E: Error>(self, elements: usize) -> Result<(), E> {
        self.take(if elements > limits::ELEMENTS { usize::MAX } else { 0 })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = PolicyValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PolicyValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = PolicyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<PolicyValue, E> {
        Ok(PolicyValue::Null)
    }

    fn visit_none<E: Error>(self) -> Result<PolicyValue, E> {
        Ok(PolicyValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<PolicyValue, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<PolicyValue, E> {
        Ok(PolicyValue::Flag(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<PolicyValue, E> {
        Ok(PolicyValue::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<PolicyValue, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond i64 it only has to be refused")]
        Ok(i64::try_from(value).map_or(PolicyValue::Fraction(value as f64), PolicyValue::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<PolicyValue, E> {
        // Above 2^53 a double no longer holds every integer, so the written number is lost.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        Ok(if value.trunc().total_cmp(&value).is_eq() && value.abs() <= EXACT {
            PolicyValue::Integer(value as i64)
        } else {
            PolicyValue::Fraction(value)
        })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<PolicyValue, E> {
        self.take(text_bytes(value))?;
        Ok(PolicyValue::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PolicyValue, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element_seed(self)? {
            self.take(ELEMENT)?;
            list.push(element);
            self.within(list.len())?;
        }
        list.shrink_to_fit();
        Ok(PolicyValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PolicyValue, A::Error> {
        let mut table = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            self.take(FIELD.saturating_add(text_bytes(&name)))?;
            table.push((name, map.next_value_seed(self)?));
            self.within(table.len())?;
        }
        table.shrink_to_fit();
        Ok(PolicyValue::Table(table))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::PolicyValue;
    use crate::language::limits;

    #[test]
    fn nothing_is_an_empty_policy() {
        assert_eq!(PolicyValue::parse(b" \n"), Ok(PolicyValue::Table(vec![])));
    }

    #[test]
    fn what_is_too_long_is_refused_whatever_it_says() {
        for text in
            [" ".repeat(limits::POLICY_BYTES + 1), "{}".to_owned() + &"\n".repeat(limits::POLICY_BYTES)]
        {
            let refused = PolicyValue::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains("NRW106") && refused.contains("4194304 bytes"), "{refused}");
        }
        assert!(PolicyValue::parse(" ".repeat(limits::POLICY_BYTES).as_bytes()).is_ok());
    }

    #[test]
    fn what_would_take_too_much_is_refused_while_it_is_read() {
        let many = |element: &str, count: usize| {
            PolicyValue::parse(
                format!("{{\"a\":[{element}{}]}}", format!(",{element}").repeat(count - 1)).as_bytes(),
            )
        };
        assert!(many("0", limits::ELEMENTS).is_ok());
        for (element, count) in
            [("0", limits::ELEMENTS + 1), (&*format!("[{}0]", "\"\",".repeat(50)), 20_000)]
        {
            let refused = many(element, count).unwrap_err().to_string();
            assert!(refused.contains("NRW112") && refused.contains("24 MiB"), "{refused}");
        }
    }

    #[test]
    fn doubles_that_are_whole_are_integers() {
        let tree = PolicyValue::parse(br#"{"a": 5.0, "c": 5.5, "d": 1e300}"#).unwrap();
        let PolicyValue::Table(fields) = tree else { panic!() };
        let values: Vec<_> = fields.into_iter().map(|(_, v)| v.kind()).collect();
        assert_eq!(values, ["an integer", "a fraction", "an integer"]);
    }

    #[test]
    fn repeated_fields_are_kept() {
        let Ok(PolicyValue::Table(fields)) = PolicyValue::parse(br#"{"a": 1, "a": 2}"#) else { panic!() };
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn a_struct_in_protobuf_says_so() {
        let message = PolicyValue::parse(b"\n\x1d\n\x03big").unwrap_err().to_string();
        assert!(message.contains("StringValue"), "{message}");
    }
}
