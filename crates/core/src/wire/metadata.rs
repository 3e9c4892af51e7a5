//! Dynamic metadata: what earlier filters of the proxy wrote about a request, such as a verified
//! token's claims.
//!
//! Envoy hands over a single value without its type: nobody could say whether eight bytes are a number
//! or a text. So all metadata is read as one message (`envoy.config.core.v3.Metadata`, in protobuf's
//! binary form), and the types are in it. Conditions, keys and tags read it here.

mod protobuf;

use std::borrow::Cow;

use protobuf::{Field, fields};

/// The message `Metadata`: a map from a filter's name to its table.
const FILTERS: u64 = 1;
/// The message `Struct`: a map from a name to a value.
const ENTRIES: u64 = 1;
/// An entry of a map.
const NAME: u64 = 1;
const VALUE: u64 = 2;
/// The message `ListValue`: its elements.
const ELEMENTS: u64 = 1;

/// A `google.protobuf.Value`.
#[derive(Clone, Copy)]
enum Value<'m> {
    Number(f64),
    Text(&'m [u8]),
    Flag(bool),
    Table(&'m [u8]),
    List(&'m [u8]),
}

/// The values under a path, as texts: `envoy.filters.http.jwt_authn`, `payload`, `group`.
///
/// A text stands for itself, a flag is `true` or `false`, a number is written in decimal digits. A list
/// gives one value for each element that is one of these. A table, a list in a list and `null` give
/// none.
pub(crate) fn values<'m>(metadata: &'m [u8], path: &[impl AsRef<[u8]>]) -> Vec<Cow<'m, [u8]>> {
    match find(metadata, path) {
        Some(Value::List(list)) => {
            let elements = all(list, ELEMENTS);
            elements.filter_map(|element| text(value(element)?)).collect()
        }
        other => other.and_then(text).into_iter().collect(),
    }
}

fn find<'m>(metadata: &'m [u8], path: &[impl AsRef<[u8]>]) -> Option<Value<'m>> {
    let (filter, names) = path.split_first()?;
    let mut found = Value::Table(entry(metadata, FILTERS, filter.as_ref())?);
    for name in names {
        let Value::Table(table) = found else { return None };
        found = value(entry(table, ENTRIES, name.as_ref())?)?;
    }
    Some(found)
}

/// The value of an entry of a map; of several entries of one name the last counts, as in protobuf.
fn entry<'m>(map: &'m [u8], number: u64, name: &[u8]) -> Option<&'m [u8]> {
    let named = all(map, number).filter_map(|entry| {
        let part = |number| all(entry, number).last();
        (part(NAME).unwrap_or_default() == name).then(|| part(VALUE).unwrap_or_default())
    });
    named.last()
}

/// The contents of all fields of a number that hold bytes.
fn all(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(of, field)| if of == number { field.bytes() } else { None })
}

fn value(message: &[u8]) -> Option<Value<'_>> {
    match fields(message).last()? {
        (2, Field::Fixed(bits)) => Some(Value::Number(f64::from_bits(bits))),
        (3, Field::Bytes(text)) => Some(Value::Text(text)),
        (4, Field::Number(flag)) => Some(Value::Flag(flag != 0)),
        (5, Field::Bytes(table)) => Some(Value::Table(table)),
        (6, Field::Bytes(list)) => Some(Value::List(list)),
        _ => None,
    }
}

fn text(value: Value<'_>) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Flag(flag) => Some(Cow::Borrowed(if flag { b"true" } else { b"false" })),
        Value::Number(number) => decimal(number).map(|text| Cow::Owned(text.into_bytes())),
        Value::Table(_) | Value::List(_) => None,
    }
}

/// Every whole number below this is one that a double holds exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number in decimal digits, as JSON has it. A number with more than 15 significant digits behind
/// the point, or one that no integer of 64 bits holds, has no text: it would be somebody's guess.
fn decimal(number: f64) -> Option<String> {
    let limit = EXACT * 1024.0;
    if number.trunc() == number {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within 64 bits")]
        return (number.abs() < limit).then(|| (number as i64).to_string());
    }
    let mut scale = 1.0;
    for places in 1..=15usize {
        scale *= 10.0;
        let scaled = (number * scale).abs();
        if scaled < EXACT && scaled.round() / scale == number.abs() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 53 bits")]
            let digits = format!("{:0width$}", scaled.round() as u64, width = places.saturating_add(1));
            let (whole, rest) = digits.split_at_checked(digits.len().saturating_sub(places))?;
            let sign = if number < 0.0 { "-" } else { "" };
            return Some(format!("{sign}{whole}.{rest}"));
        }
    }
    None
}

#[cfg(test)]
mod tests;
