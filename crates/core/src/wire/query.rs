//! The pairs of a query string.

use std::borrow::Cow;

use super::percent;

/// Every parameter in order, name and value percent-decoded. A parameter without `=` has an empty
/// value. An empty piece is not a parameter.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.split(|b| *b == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        let equals = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
        let (name, value) = piece.split_at(equals);
        (percent::decode(name), percent::decode(value.get(1..).unwrap_or_default()))
    })
}

/// The name of a parameter, percent-decoded.
pub(crate) fn name(piece: &[u8]) -> Cow<'_, [u8]> {
    percent::decode(piece.split(|byte| *byte == b'=').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::pairs;

    #[test]
    fn odd_queries() {
        let read = |query: &'static str| {
            pairs(query.as_bytes())
                .map(|(n, v)| format!("{}={}", n.escape_ascii(), v.escape_ascii()))
                .collect::<Vec<_>>()
        };
        assert_eq!(read("a=1&b&&c=&=d&e=f=g"), ["a=1", "b=", "c=", "=d", "e=f=g"]);
        assert_eq!(read("%61=%26"), ["a=&"]);
        assert_eq!(read(""), Vec::<String>::new());
    }
}
