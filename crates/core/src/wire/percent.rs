//! Percent-decoding (RFC 3986 §2.1).

use std::borrow::Cow;

/// Decodes every `%XX`; anything else stays as it is, even a broken `%`. `+` stays `+`, as in Envoy.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let (b'%', Some(byte)) = (*first, tail.first_chunk().copied().and_then(octet)) {
            decoded.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(decoded)
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::decode;

    #[test]
    fn decodes_what_is_well_formed() {
        assert_eq!(decode(b"a%2Fb%2f+").as_ref(), b"a/b/+");
        assert_eq!(decode(b"%ff%00").as_ref(), b"\xff\x00");
        assert_eq!(decode(b"100%").as_ref(), b"100%");
        assert_eq!(decode(b"%4%zz%").as_ref(), b"%4%zz%");
        assert_eq!(decode(b"%%41").as_ref(), b"%A");
    }
}
