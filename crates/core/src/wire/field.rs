//! The value of a header line.

/// A value without the blanks and tabs around it, which are not part of it (RFC 9110 §5.5).
pub(crate) fn bare(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Whether a value has no blanks and tabs around it.
pub(crate) fn is_bare(value: &[u8]) -> bool {
    let is_blank = |end: Option<&u8>| matches!(end, Some(b' ' | b'\t'));
    !is_blank(value.first()) && !is_blank(value.last())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{bare, is_bare};

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
            assert_eq!(is_bare(value.as_bytes()), value == expected, "{value:?}");
        }
    }
}
