//! The pairs of a `cookie` header (RFC 6265 §4.2), read as leniently as Envoy does.

/// The name and value of every cookie of one header, in order. A piece without `=` is not a cookie. A
/// value in double quotes loses the quotes.
pub(crate) fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|b| *b == b';').filter_map(|piece| {
        let equals = piece.iter().position(|b| *b == b'=')?;
        let (name, value) = piece.split_at(equals);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        Some((name.trim_ascii(), unquoted(value)))
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::pairs;

    #[test]
    fn odd_cookies() {
        let read = |header: &'static str| {
            pairs(header.as_bytes())
                .map(|(n, v)| format!("{}={}", n.escape_ascii(), v.escape_ascii()))
                .collect::<Vec<_>>()
        };
        assert_eq!(read("a=1; b=\"2\";c = 3 ; d; =e; f="), ["a=1", "b=2", "c=3", "=e", "f="]);
        assert_eq!(read("a=b=c"), ["a=b=c"]);
        assert_eq!(read("a=\""), ["a=\\\""]);
        assert_eq!(read(""), Vec::<String>::new());
    }
}
