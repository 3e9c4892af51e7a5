//! Properties: Envoy's attributes, by path, in the encoding a filter reads.

use std::collections::BTreeMap;

/// Attributes that a test sets, to be read by the filter with `get_property`.
#[derive(Clone, Default, Debug)]
pub struct Properties(BTreeMap<Vec<u8>, Value>);

/// One attribute's value. Numbers and truth have the forms that Envoy gives them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text or bytes, numbers already encoded.
    Bytes(Vec<u8>),
    /// A message without a readable form: reading it is a serialization failure.
    Message,
    /// Not there, even where the stand-in would have made one up.
    Missing,
}

impl Properties {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same properties and one more. A path is a list of names, for names may contain dots.
    #[must_use]
    pub fn with(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.set(path, value);
        self
    }

    /// Sets one property.
    pub fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        self.0.insert(path.join("\0").into_bytes(), value.into());
    }

    /// Looks a property up by the path that a filter sends: names with a NUL between them.
    pub(super) fn get(&self, path: &[u8]) -> Option<&Value> {
        self.0.get(path)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Bytes(number.to_le_bytes().to_vec())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Bytes(number.to_le_bytes().to_vec())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Bytes(number.to_le_bytes().to_vec())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bytes(vec![u8::from(truth)])
    }
}
