//! A condition, the name of a cookie and `cookie` lines: the first of that name counts, and under
//! `invert` all do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_fuzz::{Condition, is_met, is_value, parts};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, options, text, rest)) = parts(bytes) else { return };
    let condition = Condition::new(kind, options, &text);
    let mut lines = rest.split(|byte| *byte == b'\n');
    let Some(Ok(name)) = lines.next().map(std::str::from_utf8) else { return };
    let lines: Vec<&[u8]> = lines.collect();
    if !lines.iter().all(|line| is_value(line)) {
        return;
    }
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b":path", b"/"), (b"x-cookie", b"a=1")];
    headers.extend(lines.iter().map(|line| (b"cookie".as_slice(), *line)));
    let one = json!({ "cookies": { name: condition.written() } });
    let Some(is_met) = is_met(one, "cookies", name, &headers) else { return };
    let values: Vec<Vec<u8>> = lines.iter().flat_map(|line| cookies(line, name.as_bytes())).collect();
    let shown = || format!("{name} {} {:?}", condition.written(), String::from_utf8_lossy(rest));
    assert_eq!(is_met, condition.holds_of_first(&values), "{}", shown());
});

/// The values of the cookies of that name, in order: between semicolons, a name, `=`, and a value,
/// with blanks around both that are no part of them, and quotes around the value that are none.
fn cookies(line: &[u8], name: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let (mut found, mut value, mut has_value) = (Vec::new(), Vec::new(), false);
    for byte in line.iter().chain(b";") {
        match byte {
            b';' => {
                if has_value && trimmed(&found) == name {
                    let mut value = trimmed(&value);
                    if value.len() > 1 && value.first() == Some(&b'"') && value.last() == Some(&b'"') {
                        value.pop();
                        value.remove(0);
                    }
                    values.push(value);
                }
                (found, value, has_value) = (Vec::new(), Vec::new(), false);
            }
            b'=' if !has_value => has_value = true,
            byte if has_value => value.push(*byte),
            byte => found.push(*byte),
        }
    }
    values
}

fn trimmed(text: &[u8]) -> Vec<u8> {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let kept: Vec<u8> = text.iter().skip_while(is_blank).copied().collect();
    let behind = kept.iter().rev().take_while(is_blank).count();
    kept[..kept.len() - behind].to_vec()
}
