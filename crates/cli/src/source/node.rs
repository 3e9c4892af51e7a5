//! A value with its place in the text.

use std::fmt;
use std::ops::Range;

use narrows_cases::{Words, in_words};
use narrows_core::PolicyValue;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::DuplicateKeyPolicy;

/// A value and its bytes in the text. The place of a list or table over several lines is where it
/// begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// The bytes of the text.
    pub at: Range<usize>,
    /// The value.
    pub value: Value,
}

/// A value without its place.
#[derive(Clone, Debug)]
pub enum Value {
    /// Neither a list nor a table.
    Scalar(PolicyValue),
    /// A list.
    List(Vec<Node>),
    /// A table, its fields in the order written, repeated ones included.
    Table(Vec<(Key, Node)>),
}

/// The name of a field.
#[derive(Clone, Debug)]
pub struct Key {
    /// The bytes of the text.
    pub at: Range<usize>,
    /// The name.
    pub name: String,
}

impl Node {
    /// A value whose parts all have the place of the whole value.
    pub fn unplaced(tree: &PolicyValue, at: &Range<usize>) -> Self {
        let value = match tree {
            PolicyValue::List(elements) => {
                Value::List(elements.iter().map(|e| Self::unplaced(e, at)).collect())
            }
            PolicyValue::Table(fields) => {
                let key = |name: &String| Key { at: at.clone(), name: name.clone() };
                Value::Table(fields.iter().map(|(name, v)| (key(name), Self::unplaced(v, at))).collect())
            }
            scalar => Value::Scalar(scalar.clone()),
        };
        Self { at: at.clone(), value }
    }

    /// The same value without places: the form from which a policy is compiled.
    pub fn tree(&self) -> PolicyValue {
        match &self.value {
            Value::Scalar(scalar) => scalar.clone(),
            Value::List(elements) => PolicyValue::List(elements.iter().map(Self::tree).collect()),
            Value::Table(fields) => PolicyValue::Table(
                fields.iter().map(|(key, value)| (key.name.clone(), value.tree())).collect(),
            ),
        }
    }

    /// The same value as data, of which nobody asks the order of its fields.
    pub fn data(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(PolicyValue::Flag(flag)) => (*flag).into(),
            Value::Scalar(PolicyValue::Integer(number)) => (*number).into(),
            Value::Scalar(PolicyValue::Fraction(number)) => (*number).into(),
            Value::Scalar(PolicyValue::Text(text)) => text.as_str().into(),
            Value::Scalar(_) => serde_json::Value::Null,
            Value::List(elements) => elements.iter().map(Self::data).collect(),
            Value::Table(fields) => {
                fields.iter().map(|(key, value)| (key.name.clone(), value.data())).collect()
            }
        }
    }

    /// The fields, if this is a table.
    pub fn fields(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Table(fields) => fields,
            Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// The elements, if this is a list.
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            Value::Scalar(_) | Value::Table(_) => &[],
        }
    }

    /// The values directly inside: the values of the fields, or the elements.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.fields().iter().map(|(_, value)| value).chain(self.elements())
    }

    /// The value under a path of names such as `spec.wasm.url`; `null` counts as none.
    pub fn get(&self, path: &str) -> Option<&Self> {
        self.field(path).map(|(_, value)| value)
    }

    /// The field at a path of names, with its key.
    pub fn field(&self, path: &str) -> Option<(&Key, &Self)> {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let (key, value) = self.fields().iter().find(|(key, _)| key.name == name)?;
        match rest {
            Some(rest) => value.field(rest),
            None if matches!(value.value, Value::Scalar(PolicyValue::Null)) => None,
            None => Some((key, value)),
        }
    }

    /// The string, if this is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(PolicyValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The string at a path of names.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.get(path)?.text()
    }

    /// Moves every place.
    pub(super) fn relocate(&mut self, to: &impl Fn(&Range<usize>) -> Range<usize>) {
        self.at = to(&self.at);
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::List(elements) => elements.iter_mut().for_each(|element| element.relocate(to)),
            Value::Table(fields) => {
                for (key, value) in fields {
                    key.at = to(&key.at);
                    value.relocate(to);
                }
            }
        }
    }
}

/// Reads every document of a text. If it cannot be read, returns the fault and its place.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, (Range<usize>, Words)> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // The reader of the policy must refuse a field that is written twice, so it is passed on.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // A policy of ten thousand rules may have a million values, the export of a cluster thousands of
        // documents. A value takes a hundred bytes: two million stay under 300 MiB.
        budget: serde_saphyr::budget! { max_events: 6_000_000, max_nodes: 2_000_000, max_documents: 1_000_000 },
    };
    let read = serde_saphyr::from_str_multiple_with_options::<Spanned<Value>, Vec<_>>(text, options);
    match read {
        Ok(documents) => Ok(documents.into_iter().map(Node::from).collect()),
        Err(e) => {
            let line = e.location().map_or(1, |l| l.line());
            let column = e.location().map_or(1, |l| l.column());
            // At a syntax error, only line and column are certain.
            let line_start = text.split_inclusive('\n').take(index(line) - 1).map(str::len).sum::<usize>();
            let rest = text.get(line_start..).unwrap_or_default();
            let start = line_start + rest.chars().take(index(column) - 1).map(char::len_utf8).sum::<usize>();
            let place = format!(" at line {line}, column {column}");
            let words = in_words(&e.to_string().replace(&place, ""));
            let start = if words.what.starts_with("there is a tab") { tab(text, start) } else { start };
            Err((start..start + 1, words))
        }
    }
}

/// The tab that a reader found behind this place, or at its end: it tells the line before, or what follows.
fn tab(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    if before.ends_with('\t') && !text.get(at..).unwrap_or_default().starts_with('\t') {
        return at - 1;
    }
    text.get(at..).and_then(|rest| rest.find('\t')).map_or(at, |found| at + found)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(1).max(1)
}

fn place<T>(spanned: &Spanned<T>) -> Range<usize> {
    let span = spanned.referenced.span();
    let number = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let start = number(span.byte_offset());
    start..start + number(span.byte_len())
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { at: place(&spanned), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

/// The core decides what a scalar means: it reads the value again.
fn scalar<'de, E: Error>(value: impl IntoDeserializer<'de, E>) -> Result<Value, E> {
    PolicyValue::deserialize(value.into_deserializer()).map(Value::Scalar)
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Scalar(PolicyValue::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        scalar(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        scalar(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        scalar(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        scalar(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Value, E> {
        scalar(BorrowedStrDeserializer::new(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        scalar(StrDeserializer::new(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element::<Spanned<Value>>()? {
            list.push(element.into());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut table = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Value>>()? {
            table.push((Key { at: place(&key), name: key.value }, value.into()));
        }
        Ok(Value::Table(table))
    }
}
