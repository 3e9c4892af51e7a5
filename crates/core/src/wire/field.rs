//! The value of a header line.

/// A value without the blanks and tabs around it, which are not part of it (RFC 9110 §5.5).
pub(crate) fn bare(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::bare;

    #[test]
    fn blanks_and_tabs_around_a_value() {
        for (value, expected) in [
            ("a", "a"),
            (" a", "a"),
            ("a\t", "a"),
            (" \ta \tb\t ", "a \tb"),
            ("", ""),
            (" \t ", ""),
            ("\u{b}a", "\u{b}a"),
        ] {
            assert_eq!(bare(value.as_bytes()), expected.as_bytes(), "{value:?}");
        }
    }
}
