//! Percent-decoding (RFC 3986 §2.1).

use std::borrow::Cow;

/// Decodes every `%XX`; anything else stays as it is, even a broken `%`. `+` stays `+`, as in Envoy.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (plain, sign) = rest.split_at(at);
        decoded.extend_from_slice(plain);
        let tail = sign.get(1..).unwrap_or_default();
        let byte = tail.first_chunk().copied().and_then(octet);
        decoded.push(byte.unwrap_or(b'%'));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    decoded.extend_from_slice(rest);
    Cow::Owned(decoded)
}

/// Encodes every byte that is not unreserved (RFC 3986 §2.3).
pub(crate) fn encode(text: &[u8]) -> Vec<u8> {
    encode_all(text, |byte| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte))
}

/// Encodes every byte for which `is_other` holds.
pub(crate) fn encode_all(text: &[u8], is_other: fn(u8) -> bool) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len());
    for byte in text {
        if is_other(*byte) {
            let digit = |half: u8| if half < 10 { b'0'.wrapping_add(half) } else { b'7'.wrapping_add(half) };
            encoded.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        } else {
            encoded.push(*byte);
        }
    }
    encoded
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{decode, encode};

    #[test]
    fn encodes_what_is_reserved() {
        assert_eq!(encode(b"aZ09-._~ &=/\xff\x00%"), b"aZ09-._~%20%26%3D%2F%FF%00%25");
    }

    #[test]
    fn decodes_what_is_well_formed() {
        assert_eq!(decode(b"a%2Fb%2f+").as_ref(), b"a/b/+");
        assert_eq!(decode(b"%ff%00").as_ref(), b"\xff\x00");
        assert_eq!(decode(b"100%").as_ref(), b"100%");
        assert_eq!(decode(b"%4%zz%").as_ref(), b"%4%zz%");
        assert_eq!(decode(b"%%41").as_ref(), b"%A");
    }
}
