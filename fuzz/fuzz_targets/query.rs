//! A condition, the name of a parameter and a query: the first of that name counts, or any; and
//! under `invert` all do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_fuzz::{Condition, is_met, parts};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, options, text, rest)) = parts(bytes) else { return };
    let condition = Condition::new(kind, options, &text);
    let any = options & 4 != 0;
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (Ok(name), query) = (std::str::from_utf8(&rest[..end]), rest.get(end + 1..).unwrap_or_default())
    else {
        return;
    };
    // What a path may hold: Envoy takes the rest for a fragment, or for no request.
    if query.iter().any(|byte| *byte <= b' ' || matches!(byte, b'#' | 0x7f)) {
        return;
    }
    let target = [b"/?", query].concat();
    let mut written = condition.written();
    if any {
        written["repeated"] = json!("any");
    }
    let one = json!({ "queryParams": { name: written } });
    let Some(is_met) = is_met(one, "queryParams", name, &[(b":path", &target)]) else { return };
    let values = parameters(query, name.as_bytes());
    let holds = if any { condition.holds(&values) } else { condition.holds_of_first(&values) };
    let shown = || format!("{name} {} any={any} {:?}", condition.written(), String::from_utf8_lossy(query));
    assert_eq!(is_met, holds, "{}", shown());
});

/// The values of the parameters of that name, in order: between `&`, a name, and perhaps `=` and a
/// value, both with each `%` and two hexadecimal digits for a byte.
fn parameters(query: &[u8], name: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for piece in query.split(|byte| *byte == b'&') {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        let found = decoded(halves.next().unwrap_or_default());
        if !piece.is_empty() && found == name {
            values.push(decoded(halves.next().unwrap_or_default()));
        }
    }
    values
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
                at += 3;
            }
            _ => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}
