//! The trace that a request belongs to.

/// The headers that carry a trace's id, the first of them that has one counts.
const HEADERS: [&[u8]; 3] = [b"traceparent", b"b3", b"x-b3-traceid"];
/// Hexadecimal digits of 64 bits. Of longer ids the last ones count: a proxy between two that write 64
/// bits and 128 bits keeps only these.
const DIGITS: usize = 16;

/// The trace's id: its low 64 bits in hexadecimal digits, in lower case; one for each line of the first header that
/// has any. `lines` gives the values of a header.
pub(crate) fn ids<'v, L: Iterator<Item = &'v [u8]>>(lines: impl Fn(&'static [u8]) -> L) -> Vec<Vec<u8>> {
    let mut of_headers =
        HEADERS.iter().map(|name| lines(name).filter_map(|value| id(name, value)).collect::<Vec<_>>());
    of_headers.find(|ids| !ids.is_empty()).unwrap_or_default()
}

/// The id in a line of a header, in the same form.
pub(crate) fn id(name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.split(|byte| *byte == b'-');
    // `00-ID-SPAN-FLAGS`, `ID-SPAN-FLAGS` and `ID`.
    let id = if name == b"traceparent" { parts.nth(1)? } else { parts.next()? };
    let is_id = (id.len() == DIGITS || id.len() == 2 * DIGITS) && id.iter().all(u8::is_ascii_hexdigit);
    let low = id.get(id.len().checked_sub(DIGITS)?..).filter(|_| is_id)?;
    low.iter().any(|digit| *digit != b'0').then(|| low.to_ascii_lowercase())
}

/// The low 64 bits of the trace id in a value of the header `name`, which must be one of those that carry
/// one. Ids have 1 to 32 hexadecimal digits, because some tracers leave zeros out. An id of zeros is none,
/// and neither is a `b3` that is only the sampling state, such as `0`.
pub(crate) fn low_bits(name: &[u8], value: &[u8]) -> Option<u64> {
    let mut parts = value.split(|byte| *byte == b'-');
    let id = match name {
        b"traceparent" => parts.nth(1)?,
        b"b3" if value.len() == 1 => return None,
        _ => parts.next()?,
    };
    if id.is_empty() || id.len() > 2 * DIGITS {
        return None;
    }
    let mut bits = 0u64;
    for digit in id {
        let digit = char::from(*digit).to_digit(16)?;
        bits = (bits << 4) | u64::from(digit);
    }
    (bits != 0).then_some(bits)
}

/// Whether a header carries the id of a trace in a form that is known.
pub(crate) fn carries(name: &[u8]) -> bool {
    HEADERS.contains(&name)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{ids, low_bits};

    #[test]
    fn low_bits_of_the_first_header_that_has_some() {
        let of = |headers: &[(&str, &'static str)]| {
            let lines = |name: &[u8]| {
                let named = headers.iter().filter(|(n, _)| n.as_bytes() == name);
                named.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>().into_iter()
            };
            ids(lines).into_iter().map(|id| String::from_utf8(id).unwrap()).collect::<Vec<_>>()
        };
        let low = ["a3ce929d0e0e4736"];
        assert_eq!(of(&[("traceparent", "00-4bf92f3577b34da6A3CE929D0E0E4736-00f067aa0ba902b7-01")]), low);
        assert_eq!(of(&[("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")]), low);
        assert_eq!(of(&[("b3", "0"), ("x-b3-traceid", "a3ce929d0e0e4736")]), low);
        for odd in ["", "00", "00-xyz", "00-0000000000000000-1-1", "00-4bf92f3577b34da-1-1"] {
            assert_eq!(of(&[("traceparent", odd)]), [""; 0], "{odd}");
        }
        // Each line of that header has its say, and the other headers none.
        let lines = [("b3", "0"), ("b3", "1111111111111111-1-1"), ("b3", "2222222222222222-1-1")];
        let more = [("x-b3-traceid", "a3ce929d0e0e4736")];
        assert_eq!(of(&[&lines[..], &more].concat()), ["1111111111111111", "2222222222222222"]);
    }

    #[test]
    fn low_bits_of_every_length() {
        let long = Some(0xa3ce_929d_0e0e_4736);
        for (name, value, bits) in [
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", long),
            ("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-ffffffffffffffff-00", long),
            ("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-0", long),
            ("x-b3-traceid", "0000000000000000a3ce929d0e0e4736", long),
            ("x-b3-traceid", "1", Some(1)),
            ("b3", "1-00f067aa0ba902b7", Some(1)),
            ("b3", "0", None),
            ("b3", "1", None),
            ("b3", "d", None),
            ("x-b3-traceid", "0", None),
            ("x-b3-traceid", "", None),
            ("x-b3-traceid", "a3ce929d0e0e47360000000000000000", None),
            ("x-b3-traceid", "0a3ce929d0e0e47364bf92f3577b34da6", None),
            ("x-b3-traceid", "a3ce929d0e0e473g", None),
            ("traceparent", "00", None),
            ("traceparent", "", None),
        ] {
            assert_eq!(low_bits(name.as_bytes(), value.as_bytes()), bits, "{name}: {value}");
        }
    }
}
