//! The ABI's forms of a list.

/// The path of a property: its parts, with a NUL between them.
pub(super) fn path(parts: &[&str]) -> Vec<u8> {
    parts.join("\0").into_bytes()
}

/// Headers: a count, the two lengths of each pair, then each name and each value with a NUL after it.
pub(super) fn pairs(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let size = pairs.iter().map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(10));
    let mut bytes = Vec::with_capacity(size.fold(4, usize::saturating_add));
    bytes.extend_from_slice(&word(pairs.len()));
    for (name, value) in pairs {
        bytes.extend_from_slice(&word(name.len()));
        bytes.extend_from_slice(&word(value.len()));
    }
    for (name, value) in pairs {
        for text in [name.as_bytes(), value] {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
    }
    bytes
}

/// No text in the VM is longer than an address can say.
fn word(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{pairs, path};
    use crate::abi::map::Pairs;

    #[test]
    fn what_is_written_is_what_is_read() {
        let headers: [(&str, &[u8]); 3] = [(":path", b"/"), ("x-a", b""), ("x-a", b"\xff\0\x80")];
        let bytes = pairs(&headers);
        assert_eq!(
            Pairs::of(&bytes).collect::<Vec<_>>(),
            headers.map(|(name, value)| (name.as_bytes(), value))
        );
        assert_eq!(bytes.len(), 4 + 3 * 10 + 5 + 1 + 3 + 3 + 3);
        assert_eq!(Pairs::of(&pairs(&[])).next(), None);
    }

    #[test]
    fn a_path_has_no_nul_at_its_end() {
        assert_eq!(path(&["response", "code"]), b"response\0code");
        assert_eq!(path(&["plugin_name"]), b"plugin_name");
    }
}
