//! Dynamic metadata of a request: what filters in front wrote, in the form in which Envoy hands it to a
//! filter.

use serde_json::{Map, Value};

/// Envoy's message (`envoy.config.core.v3.Metadata`, in protobuf's binary form). Each field is the name of
/// a filter, with the table that it wrote.
pub fn message(metadata: &Map<String, Value>) -> Vec<u8> {
    let entries = metadata.iter().map(|(filter, written)| match written {
        Value::Object(written) => entry(filter, &table(written)),
        _ => entry(filter, &[]),
    });
    entries.collect::<Vec<_>>().concat()
}

/// The message `Struct`.
fn table(fields: &Map<String, Value>) -> Vec<u8> {
    let entries: Vec<_> = fields.iter().map(|(name, written)| entry(name, &value(written))).collect();
    entries.concat()
}

/// An entry of a map from names.
fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    field(1, &[field(1, name.as_bytes()), field(2, value)].concat())
}

/// The message `Value`.
fn value(written: &Value) -> Vec<u8> {
    match written {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => {
            [&[2 << 3 | 1][..], &number.as_f64().unwrap_or_default().to_le_bytes()].concat()
        }
        Value::String(text) => field(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(fields) => field(5, &table(fields)),
        Value::Array(elements) => {
            field(6, &elements.iter().map(|element| field(1, &value(element))).collect::<Vec<_>>().concat())
        }
    }
}

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![number << 3 | 2];
    let mut length = bytes.len();
    // Seven bits in each byte, the lowest first.
    loop {
        let [low, ..] = length.to_le_bytes();
        length >>= 7;
        if length == 0 {
            message.push(low & 0x7f);
            return [message, bytes.to_vec()].concat();
        }
        message.push(low | 0x80);
    }
}
