//! A condition and lines of a header: it holds as its documentation says, value by value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_fuzz::{Condition, is_met, is_value, parts};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, options, text, rest)) = parts(bytes) else { return };
    let is_without = options & 4 != 0;
    let condition = Condition::new(kind, if is_without { options & 1 } else { options }, &text);
    let lines: Vec<&[u8]> =
        if rest.is_empty() { Vec::new() } else { rest.split(|byte| *byte == b'\n').collect() };
    if !lines.iter().all(|line| is_value(line)) {
        return;
    }
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b":path", b"/"), (b"x-other", b"a")];
    headers.extend(lines.iter().map(|line| (b"x-a".as_slice(), *line)));
    let field = if is_without { "withoutHeaders" } else { "headers" };
    let one = json!({ field: { "x-a": condition.written() } });
    let Some(is_met) = is_met(one, "headers", "x-a", &headers) else { return };
    let values: Vec<Vec<u8>> = lines.iter().map(|line| bare(line)).collect();
    let holds = if is_without { condition.holds_without(&values) } else { condition.holds(&values) };
    assert_eq!(is_met, holds, "{field} {} {:?}", condition.written(), String::from_utf8_lossy(rest));
});

/// Without the blanks and tabs around it.
fn bare(line: &[u8]) -> Vec<u8> {
    let mut value = line.to_vec();
    while matches!(value.last(), Some(b' ' | b'\t')) {
        value.pop();
    }
    while matches!(value.first(), Some(b' ' | b'\t')) {
        value.remove(0);
    }
    value
}
