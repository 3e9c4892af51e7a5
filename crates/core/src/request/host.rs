//! The host of an authority, in the one form that matches compare.

use std::borrow::Cow;

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
        let name = if name.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Self { name, port }
    }

    /// The name, or the address; an IPv6 address keeps its brackets.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The digits of the port, if one was written.
    pub fn port(&self) -> Option<&'a [u8]> {
        self.port
    }

    /// The name's parent domains with the dot, longest first: for `a.b.c`, `.b.c` then `.c`.
    /// What is longer than a name can be (RFC 1035 §2.3.4) has none: a header full of dots
    /// would have as many as it has bytes.
    pub fn parents(&self) -> impl Iterator<Item = &[u8]> {
        let name = Some(self.name()).filter(|name| name.len() <= LONGEST).unwrap_or_default();
        name.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'.').filter_map(|(i, _)| name.get(i..))
    }
}

/// Bytes of the longest name, without its trailing dot.
const LONGEST: usize = 253;

/// Splits `host:port`; colons of an IPv6 address are not a port's.
pub(crate) fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(colon) = authority.iter().rposition(|b| *b == b':') else {
        return (authority, None);
    };
    let (name, rest) = authority.split_at(colon);
    let port = rest.get(1..).unwrap_or_default();
    let one_colon = !name.contains(&b':') || name.ends_with(b"]");
    if one_colon && port.iter().all(u8::is_ascii_digit) {
        (name, Some(port).filter(|digits| !digits.is_empty()))
    } else {
        (authority, None)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Host;

    #[test]
    fn one_form() {
        let of = |authority: &'static str| {
            let host = Host::of(authority.as_bytes());
            (
                String::from_utf8(host.name().to_vec()).unwrap(),
                host.port().map(|p| String::from_utf8(p.to_vec()).unwrap()),
            )
        };
        let port = |digits: &str| Some(digits.to_owned());
        assert_eq!(of("Shop.Example.COM:8080"), ("shop.example.com".into(), port("8080")));
        assert_eq!(of("shop.example.com."), ("shop.example.com".into(), None));
        assert_eq!(of("shop.example.com.:80"), ("shop.example.com".into(), port("80")));
        assert_eq!(of("shop:"), ("shop".into(), None));
        assert_eq!(of("[::1]:80"), ("[::1]".into(), port("80")));
        assert_eq!(of("::1"), ("::1".into(), None));
        assert_eq!(of("a:b"), ("a:b".into(), None));
        assert_eq!(of(""), (String::new(), None));
    }

    #[test]
    fn parents_are_longest_first() {
        let host = Host::of(b"a.b.c");
        let parents: Vec<_> = host.parents().collect();
        assert_eq!(parents, [b".b.c".as_slice(), b".c".as_slice()]);
        assert_eq!(Host::of(b".c").parents().count(), 0);
        let long = ["a."; 127].concat();
        assert_eq!(Host::of(long.as_bytes()).parents().count(), 126);
        assert_eq!(Host::of([&*long, "a"].concat().as_bytes()).parents().count(), 0);
    }
}
