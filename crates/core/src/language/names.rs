//! Names and values that a policy may write. They are checked once, when it is loaded.

use std::collections::HashMap;

use xxhash_rust::xxh64::Xxh64Builder;

use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, read};
use crate::order::{hash_of, sorted};

/// The prefix of every header that belongs to Narrows.
pub const OWN_PREFIX: &str = "x-narrows-";

/// The route header unless a policy names another.
pub const ROUTE_HEADER: &str = "x-narrows-route";
/// The header that keeps the path when it is rewritten, as Envoy's own rewrites do.
pub const ORIGINAL_PATH: &str = "x-envoy-original-path";
/// The header that keeps the caller's authority when the authority is rewritten.
pub const FORWARDED_HOST: &str = "x-forwarded-host";

/// The indices of names. They are hashed like the index: the standard library's own hash would add one
/// more to every module.
pub type IndexByName = HashMap<Box<[u8]>, u32, Xxh64Builder>;

/// The name of a rule, split, backend or tag. It becomes a metric label, filter state and a word in a
/// header, so it has only plain characters.
pub(crate) fn name(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let name = read::text(tree)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:".contains(&b);
    if !name.is_empty() && name.len() <= limits::NAME && name.bytes().all(plain) {
        return Ok(name.into());
    }
    Err(Invalid::new(
        Code::BadValue,
        format!("{name:?} cannot be a name"),
        format!("use 1 to {} letters, digits and - _ . / :", limits::NAME),
    ))
}

/// Refuses a name that is twice among `names`; `what` is the kind of thing that has the name.
pub(crate) fn unique<'n>(what: &str, names: impl IntoIterator<Item = &'n str>) -> Result<(), Invalid> {
    let mut seen = IndexByName::default();
    for (i, name) in (0u32..).zip(names) {
        if let Some(first) = seen.insert(name.as_bytes().into(), i) {
            return Err(Invalid::new(
                Code::RepeatedName,
                format!("duplicate name {name:?}: {what}[{first}] has it too"),
                "give each its own",
            )
            .in_field("name")
            .in_index(usize::try_from(i).unwrap_or_default()));
        }
    }
    Ok(())
}

/// A header name to read: lower case, a token (RFC 9110 §5.1).
pub(crate) fn header(written: &str) -> Result<Box<str>, Invalid> {
    if written.starts_with(':') {
        return Err(Invalid::new(
            Code::BadHeaderName,
            format!("{written:?} is not a header here"),
            match written {
                ":authority" => "match \"hosts\"; write \"authority\" of \"route\" or \"rewrite\"",
                ":path" => "match \"path\" or \"queryParams\"; write \"rewrite\"",
                ":method" => "match \"method\"",
                ":scheme" => "match \"scheme\"",
                _ => "use \"hosts\", \"path\", \"method\" or \"scheme\"",
            },
        ));
    }
    token(written, "header")
}

/// A header name to read of a request. Envoy makes `Host` the authority.
pub(crate) fn request_header(written: &str) -> Result<Box<str>, Invalid> {
    let name = header(written)?;
    if &*name != "host" {
        return Ok(name);
    }
    Err(Invalid::new(
        Code::BadHeaderName,
        "no request has the header \"host\": Envoy makes it the authority",
        "match \"hosts\", quote %REQ(:authority)%",
    ))
}

/// A header name to read of a request in CEL, which has the pseudo headers too.
pub(crate) fn cel_header(written: &str) -> Result<Box<str>, Invalid> {
    let is_pseudo = [":authority", ":method", ":path", ":scheme"].contains(&written);
    if is_pseudo { Ok(written.into()) } else { request_header(written) }
}

/// A header name to write. A policy may not write framing headers and pseudo headers.
pub(crate) fn writable_header(written: &str) -> Result<Box<str>, Invalid> {
    let name = header(written)?;
    let framing = [
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    if framing.contains(&&*name) {
        return Err(Invalid::new(
            Code::BadHeaderName,
            format!("{name:?} frames the message and cannot be edited"),
            if &*name == "host" {
                "set the destination's \"authority\" instead"
            } else {
                "leave it to the proxy"
            },
        ));
    }
    Ok(name)
}

/// The name of a cookie or query parameter.
pub(crate) fn parameter(written: &str) -> Result<Box<str>, Invalid> {
    if written.is_empty() || written.len() > limits::VALUE_BYTES {
        return Err(Invalid::new(
            Code::BadHeaderName,
            "the name is empty or too long",
            "write the name as the client sends it",
        ));
    }
    Ok(written.into())
}

/// A cookie's name: a token. Unlike a header's, it keeps its letter case.
pub(crate) fn cookie(written: &str) -> Result<Box<str>, Invalid> {
    token(written, "cookie")?;
    Ok(written.into())
}

/// A header name, or the prefix of header names with `*` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern {
    /// Lower case, with the `*` if there is one.
    written: Box<str>,
    /// The same with `-` for each `_`: the form that is compared.
    text: Box<str>,
}

impl NamePattern {
    pub(crate) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let written = read::text(tree)?;
        let stem = written.strip_suffix('*').unwrap_or(written);
        token(if stem.is_empty() { written } else { stem }, "header")?;
        Ok(Self::of(written))
    }

    /// The name, or the prefix of names, of headers that a policy may remove. `*` alone is not a prefix.
    pub(crate) fn removable(tree: &PolicyValue) -> Result<Self, Invalid> {
        let pattern = Self::read(tree)?;
        if !pattern.text.ends_with('*') {
            // In any spelling it covers the one that frames the message.
            writable_header(pattern.as_str())?;
        }
        Ok(pattern)
    }

    pub(crate) fn of(written: &str) -> Self {
        let written = written.to_ascii_lowercase();
        Self { text: written.replace('_', "-").into(), written: written.into() }
    }

    /// The pattern in the form that is compared.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern as written, but in lower case.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// Whether the pattern covers a header's name: see [`covers`].
    pub(crate) fn covers(&self, name: &[u8]) -> bool {
        covers(self.text.as_bytes(), name)
    }
}

/// Whether a pattern, perhaps with `*` at the end, covers a header's name. It does so in any spelling
/// that Envoy passes and an application may read as the same: many of them take `x_user` for `x-user`.
pub fn covers(pattern: &[u8], name: &[u8]) -> bool {
    let is_dash = |byte: u8| matches!(byte, b'-' | b'_');
    let same = |(a, b): (&u8, &u8)| a == b || (is_dash(*a) && is_dash(*b));
    match pattern.strip_suffix(b"*") {
        Some(prefix) => name.len() >= prefix.len() && name.iter().zip(prefix).all(same),
        None => name.len() == pattern.len() && name.iter().zip(pattern).all(same),
    }
}

/// Each of the names once, in their order.
pub fn distinct(names: Vec<&[u8]>) -> Vec<&[u8]> {
    let is_first = firsts(&names);
    names.into_iter().zip(is_first).filter_map(|(name, is_first)| is_first.then_some(name)).collect()
}

/// So many names are sooner compared with each other than sorted.
const FEW: usize = 8;

/// Whether each of the names is the first of its kind. It sorts, because a client chooses how many there are.
pub(crate) fn firsts(names: &[&[u8]]) -> Vec<bool> {
    if names.len() <= FEW {
        let earlier = |index: usize| names.iter().take(index);
        return names.iter().enumerate().map(|(at, name)| earlier(at).all(|other| other != name)).collect();
    }
    // Names may begin alike: their hashes differ in the first byte.
    let keys: Vec<(u64, &[u8])> = names.iter().map(|name| (hash_of(b"", name), *name)).collect();
    let of = |index: u32| keys.get(index as usize);
    let order = sorted(keys.len(), &|a, b| of(a).cmp(&of(b)));
    let mut is_first = vec![true; names.len()];
    for (one, next) in order.iter().zip(order.iter().skip(1)) {
        if of(*one) == of(*next)
            && let Some(is_first) = is_first.get_mut(*next as usize)
        {
            *is_first = false;
        }
    }
    is_first
}

fn token(written: &str, what: &str) -> Result<Box<str>, Invalid> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !written.is_empty() && written.len() <= 256 && written.bytes().all(allowed) && !written.contains('*') {
        return Ok(written.to_ascii_lowercase().into());
    }
    Err(Invalid::new(
        Code::BadHeaderName,
        format!("{written:?} cannot be the name of a {what}"),
        "use letters, digits and - _ .",
    ))
}

/// A value to write into a header. It has no CR, LF, NUL or other control character, so that it cannot
/// end the header and start another.
pub(crate) fn header_value(written: &str) -> Result<Box<[u8]>, Invalid> {
    if written.len() > limits::VALUE_BYTES {
        return Err(Invalid::new(
            Code::BadHeaderValue,
            format!("the value has {} bytes, more than {}", written.len(), limits::VALUE_BYTES),
            "shorten it",
        ));
    }
    if is_header_value(written.as_bytes()) {
        return Ok(written.as_bytes().into());
    }
    Err(Invalid::new(
        Code::BadHeaderValue,
        format!("{written:?} cannot be the value of a header"),
        "leave out line ends and other control characters",
    ))
}

/// Whether bytes can be the value of a header (RFC 9110 §5.5).
pub(crate) fn is_header_value(value: &[u8]) -> bool {
    value.iter().all(|b| *b == b'\t' || (*b >= b' ' && *b != 0x7f))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{NamePattern, cookie, distinct, header, header_value, writable_header};

    #[test]
    fn names() {
        assert_eq!(header("X-User").unwrap().as_ref(), "x-user");
        assert_eq!(cookie("Uid").unwrap().as_ref(), "Uid");
        for bad in ["", "a b", "a:b", ":path", "ä", "a\r\n", "a*"] {
            assert!(header(bad).is_err(), "{bad:?}");
        }
        for bad in ["Host", "content-length", "transfer-encoding"] {
            assert!(writable_header(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values_cannot_end_a_header() {
        assert!(header_value("a\tb \u{e9}").is_ok());
        for bad in ["a\r\nx: y", "a\n", "a\0", "\u{7f}"] {
            assert!(header_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_once_in_their_order() {
        let names = |text: &'static str| distinct(text.split(' ').map(str::as_bytes).collect());
        assert_eq!(names("b a b c a"), [b"b", b"a", b"c"]);
        assert_eq!(names("b"), [b"b"]);
        assert_eq!(distinct(Vec::new()), Vec::<&[u8]>::new());
    }

    #[test]
    fn patterns_cover_every_spelling() {
        let pattern = NamePattern::of("X-Narrows-*");
        assert!(pattern.covers(b"x-narrows-route"));
        assert!(pattern.covers(b"x_narrows-route"));
        assert!(pattern.covers(b"x-narrows-"));
        assert!(!pattern.covers(b"x-narrow"));
        assert!(NamePattern::of("x_user").covers(b"x-user"));
        assert!(!NamePattern::of("x-user").covers(b"x-user-id"));
    }
}
