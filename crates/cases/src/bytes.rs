//! The bytes of a case file: texts with escapes, header lines, targets.
//!
//! Header values are bytes; JSON and YAML hold text. Printable ASCII stands
//! for itself, a backslash is doubled, everything else becomes `\xNN`.

/// Writes bytes so that they can be read, printed and turned back.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push_str("\\x");
                text.push(char::from(HEX[usize::from(byte >> 4)]));
                text.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    text
}

/// Reads what [`escape`] wrote. Text outside ASCII stands for its UTF-8
/// bytes; a backslash that starts no escape stands for itself.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        match after {
            [b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            [b'\\', tail @ ..] => {
                bytes.push(b'\\');
                rest = tail;
            }
            _ => bytes.push(b'\\'),
        }
    }
    bytes
}

/// A header line's name and value, as bytes.
pub fn header_line(line: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (unescape(name), unescape(value.trim_matches([' ', '\t'])))
}

/// The authority and the path of `http://host/path`: Envoy divides it before a filter sees it.
pub fn absolute(target: &str) -> Option<(&str, &str)> {
    let rest = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"))?;
    Some(rest.find(['/', '?']).map_or((rest, "/"), |end| rest.split_at(end)))
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 0x20) - b'a' + 10,
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_divided_before_they_are_read() {
        let read = |line| header_line(line);
        assert_eq!(read(r"x-a: \x3a:\\ "), (b"x-a".to_vec(), b"::\\".to_vec()));
        assert_eq!(read("x-a"), (b"x-a".to_vec(), Vec::new()));
        assert_eq!(absolute("http://a?b"), Some(("a", "?b")));
        assert_eq!(absolute("https://a"), Some(("a", "/")));
        assert_eq!(absolute("/http://a"), None);
    }

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&escape(&all)), all);
        assert_eq!(escape(b"a\\\xff\r"), r"a\\\xff\x0d");
        assert_eq!(unescape(r"\xFF\q"), b"\xff\\q");
        assert_eq!(unescape(r"a\xffb\x0"), b"a\xffb\\x0");
        assert_eq!(unescape(r"\xé\x+f"), "\\xé\\x+f".as_bytes());
    }
}
