//! The host of an authority, in the one form that is compared.
//!
//! It is read as Envoy reads it to find a virtual host (`HeaderUtility::getPortStart`, with
//! `ignore_port_in_host_matching`). So a condition on a host holds for exactly the requests that a
//! virtual host of that name would get. `tests/e2e/hosts.rs` compares the two.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A host: lower case, without port and trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    name: Cow<'a, [u8]>,
    port: Option<&'a [u8]>,
}

impl<'a> Host<'a> {
    /// The host of an `:authority` or `Host` value.
    pub fn of(authority: &'a [u8]) -> Self {
        let (name, port) = split_port(authority);
        let name = name.strip_suffix(b".").unwrap_or(name);
        let name =
            if has_capitals(name) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) };
        Self { name, port: port.filter(|digits| number(digits).is_some()) }
    }

    /// The name, or the address; an IPv6 address keeps its brackets.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The digits of the port, if a valid port was written.
    pub fn port(&self) -> Option<&'a [u8]> {
        self.port
    }

    /// Whether there is no name: no authority, or nothing before the port. Envoy gives such a request
    /// to no virtual host but `*`. Anything else is a name, even if no rule can have it.
    pub fn is_missing(&self) -> bool {
        self.name.is_empty()
    }

    /// The text after the first label, with its dot; empty if there is only one label.
    pub fn domain(&self) -> &[u8] {
        let dot = self.name.iter().skip(1).position(|byte| *byte == b'.');
        dot.and_then(|dot| self.name.get(dot.saturating_add(1)..)).unwrap_or_default()
    }

    /// The name's parent domains with the dot, longest first: for `a.b.c`, `.b.c` then `.c`. Parents
    /// of more bytes than `longest`, the longest that a policy names, are left out: a header full of dots
    /// would have as many as it has bytes.
    pub fn parents(&self, longest: usize) -> impl Iterator<Item = &[u8]> {
        let name = self.name();
        let from = name.len().saturating_sub(longest).max(1);
        let end = name.get(from..).unwrap_or_default();
        end.iter().enumerate().filter(|(_, byte)| **byte == b'.').filter_map(|(dot, _)| end.get(dot..))
    }
}

/// Whether a name has capitals. It takes words, not bytes: it is asked of every request.
fn has_capitals(name: &[u8]) -> bool {
    /// A one in each byte.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = name.as_chunks();
    let in_word = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte of a sum says whether the byte is at least that letter.
        let from = |letter: u64| {
            (word & ONES.wrapping_mul(0x7f)).wrapping_add(ONES.wrapping_mul(0x80u64.wrapping_sub(letter)))
        };
        from(0x41) & !from(0x5b) & !word & ONES.wrapping_mul(0x80) != 0
    };
    words.iter().any(in_word) || rest.iter().any(u8::is_ascii_uppercase)
}

/// Bytes of the longest name, without its trailing dot.
pub(crate) const LONGEST: usize = 253;

/// Splits an authority as Envoy does: at the last colon, whatever follows it, unless the colon is
/// before a closing bracket.
pub(crate) fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Most have no port, and this search takes words, not bytes.
    if !authority.contains(&b':') {
        return (authority, None);
    }
    let is_last = authority.iter().rposition(|byte| matches!(byte, b':' | b']'));
    match is_last.map(|at| authority.split_at(at)) {
        Some((name, rest)) if rest.starts_with(b":") => (name, rest.get(1..)),
        _ => (authority, None),
    }
}

/// A port in decimal digits: 1 to 65535.
pub(crate) fn number(digits: &[u8]) -> Option<u16> {
    if digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |sum: u32, digit: &u8| sum.wrapping_mul(10).wrapping_add(u32::from(digit & 0x0f));
    u16::try_from(digits.iter().fold(0, digit)).ok().filter(|port| *port > 0)
}

/// Whether an authority is one host and nothing else: a name or an address that a server could have,
/// perhaps with a port that is a number.
pub(crate) fn is_one(authority: &[u8]) -> bool {
    let (name, port) = split_port(authority);
    let inside = || std::str::from_utf8(name.strip_prefix(b"[")?.strip_suffix(b"]")?).ok();
    port.is_none_or(|digits| number(digits).is_some())
        && (is_name(name.strip_suffix(b".").unwrap_or(name))
            || inside().is_some_and(|inside| inside.parse::<Ipv6Addr>().is_ok()))
}

/// Whether it is a name (or an IPv4 address) without its trailing dot, in any letter case. Names in the
/// DNS may have underscores, although host names may not.
pub(crate) fn is_name(name: &[u8]) -> bool {
    name.len() <= LONGEST
        && name.split(|byte| *byte == b'.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Host, has_capitals, is_one};

    #[test]
    fn one_form() {
        for (authority, name, port) in [
            ("Shop.Example.COM:8080", "shop.example.com", Some("8080")),
            ("shop.example.com.", "shop.example.com", None),
            ("shop.example.com.:80", "shop.example.com", Some("80")),
            ("shop.example.com..", "shop.example.com.", None),
            ("shop:", "shop", None),
            ("[::1]:80", "[::1]", Some("80")),
            ("[::1]", "[::1]", None),
        ] {
            let host = Host::of(authority.as_bytes());
            assert_eq!(host.name(), name.as_bytes(), "{authority}");
            assert_eq!(host.port(), port.map(str::as_bytes), "{authority}");
            assert!(!host.is_missing(), "{authority}");
        }
    }

    #[test]
    fn a_capital_is_found_wherever_it_is() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut name = vec![b'x'; length];
                    name[at] = byte;
                    assert_eq!(has_capitals(&name), byte.is_ascii_uppercase(), "{name:?}");
                    name.iter_mut().for_each(|other| *other = byte);
                    assert_eq!(has_capitals(&name), byte.is_ascii_uppercase(), "{name:?}");
                }
            }
        }
    }

    /// The text after the last colon is cut off unchecked, but it is a port only if it is a valid one.
    #[test]
    fn what_follows_the_last_colon_is_no_part_of_the_name() {
        for rest in
            ["x", "443x", "+80", ".", "", "0", "65536", "000080", "-1", " 80", "@b", "\u{e4}", "a.b", "*"]
        {
            for name in ["shop.example.com", "10.0.0.1", "[::1]"] {
                let authority = format!("{name}:{rest}");
                let host = Host::of(authority.as_bytes());
                assert_eq!((host.name(), host.port()), (name.as_bytes(), None), "{authority}");
            }
        }
        for (authority, name) in [
            ("::1", ":"),
            ("a:b:c", "a:b"),
            ("shop:80:90", "shop:80"),
            ("a]:80", "a]"),
            ("[a:80", "[a"),
            ("shop:80]", "shop:80]"),
            ("[::1]:80]", "[::1]:80]"),
            ("[::1]x:80", "[::1]x"),
            ("user@shop:80", "user@shop"),
            ("a,b", "a,b"),
            ("sh%6Fp", "sh%6fp"),
        ] {
            assert_eq!(Host::of(authority.as_bytes()).name(), name.as_bytes(), "{authority}");
        }
        assert_eq!(Host::of(b"S\xC4\xff:\xff").name(), b"s\xC4\xff", "letter case is ASCII's");
    }

    #[test]
    fn nothing_before_the_port_is_no_host() {
        for authority in ["", ":80", ":", ":x", ".", ".:80"] {
            assert!(Host::of(authority.as_bytes()).is_missing(), "{authority}");
        }
        for authority in ["..", " ", "*", "[]", "::", "a"] {
            assert!(!Host::of(authority.as_bytes()).is_missing(), "{authority}");
        }
    }

    #[test]
    fn parents_are_longest_first() {
        let host = Host::of(b"a.b.c");
        let parents: Vec<_> = host.parents(254).collect();
        assert_eq!(parents, [b".b.c".as_slice(), b".c".as_slice()]);
        assert_eq!(host.parents(4).count(), 2);
        assert_eq!(host.parents(3).collect::<Vec<_>>(), [b".c".as_slice()]);
        assert_eq!(host.parents(1).count(), 0);
        assert_eq!(host.domain(), b".b.c");
        assert_eq!(Host::of(b".c").parents(254).count(), 0);
        assert_eq!(Host::of(b"..c").parents(254).count(), 1);
        assert_eq!(Host::of(b"c").domain(), b"");
        assert_eq!(Host::of(b"").parents(254).count(), 0);
    }

    /// A name of any length has exactly those parents that a policy can name.
    #[test]
    fn a_long_name_has_its_last_parents() {
        let longest = format!(".{}", ["a"; 127].join("."));
        for before in ["a", "aa", "a.a", &"a".repeat(5000), &"a.".repeat(30_000)] {
            let name = format!("{before}{longest}");
            let host = Host::of(name.as_bytes());
            let parents: Vec<_> = host.parents(longest.len()).collect();
            assert_eq!(parents.first(), Some(&longest.as_bytes()), "{} bytes", name.len());
            assert_eq!(parents.len(), 127);
            assert_eq!(host.domain().len(), if before.starts_with("a.") { name.len() - 1 } else { 254 });
        }
        assert_eq!(Host::of(&vec![b'.'; 60_000]).parents(254).count(), 254);
    }

    #[test]
    fn one_host_and_nothing_else() {
        let longest = ["a"; 127].join(".");
        for one in [
            "shop",
            "Shop.Example.com:8080",
            "10.0.0.1:1",
            "[::1]",
            "[2001:DB8::1]:65535",
            "a_b-c.d.",
            &longest,
        ] {
            assert!(is_one(one.as_bytes()), "{one}");
        }
        let long = format!("{longest}.a");
        for other in [
            "",
            ".",
            ":80",
            "shop:",
            "shop:x",
            "shop:0",
            "shop:65536",
            "shop:80:80",
            "shop..",
            "a..b",
            ".a",
            "a,b",
            "evil.net, a.example.com",
            "a b",
            " a",
            "a ",
            "u@a",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a%41",
            "\u{e4}",
            "a\r\nb",
            "a\0",
            "*",
            "*.a",
            "[::1",
            "::1]",
            "::1",
            "[::1]x",
            "[a]",
            "[::1%25lo]",
            "[10.0.0.1]",
            "[]",
            "a\"b",
            "a;b",
            &long,
        ] {
            assert!(!is_one(other.as_bytes()), "{other:?}");
        }
    }
}
