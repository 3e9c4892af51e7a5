//! A cookie that a response gives to a browser, unless a cache may keep that response.

use std::borrow::Cow;

use crate::wire::caching;

/// The header that gives a cookie.
pub const HEADER: &str = "set-cookie";
/// The headers that speak to caches. The first is for all of them.
pub const OF_CACHES: [&str; 3] = ["cache-control", "cdn-cache-control", "surrogate-control"];

/// A cookie to give with a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// The value of the header: `name=value` and the attributes.
    pub line: Cow<'a, [u8]>,
    /// What to do with a response that a cache may keep: true to make it `private`, false to let it go
    /// without the cookie.
    pub makes_private: bool,
    /// The series that counts the cookies given, by its index.
    pub given: usize,
    /// The series that counts the responses that could not have one.
    pub withheld: usize,
}

/// What becomes of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The response gets it.
    Given,
    /// The response gets it, and this `cache-control` in place of all of [`OF_CACHES`].
    GivenPrivately(Vec<u8>),
    /// The response must go without it.
    Withheld,
}

impl SetCookie<'_> {
    /// Whether a response that has these headers gets the cookie. A 304 stands for a response that a
    /// cache has kept already.
    pub fn on(&self, response: &[(&[u8], &[u8])]) -> Fate {
        let status = response.iter().find(|(name, _)| *name == b":status").map_or(&b""[..], |(_, is)| is);
        if status == b"304" {
            return Fate::Withheld;
        }
        if !caching::may_be_kept(status, response) {
            return Fate::Given;
        }
        if !self.makes_private {
            return Fate::Withheld;
        }
        Fate::GivenPrivately(caching::kept_to_one(response))
    }

    /// The same cookie, which borrows nothing.
    pub fn into_owned(self) -> SetCookie<'static> {
        SetCookie { line: Cow::Owned(self.line.into_owned()), ..self }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Fate, SetCookie};

    #[test]
    fn no_cache_keeps_a_cookie() {
        let fate = |makes_private, headers: &[(&'static str, &'static str)]| {
            let cookie = SetCookie { line: b"id=1".into(), makes_private, given: 0, withheld: 1 };
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            cookie.on(&headers)
        };
        let page = [(":status", "200"), ("content-type", "text/html")];
        assert_eq!(fate(false, &page), Fate::Given);
        assert_eq!(fate(true, &page), Fate::Given);
        let kept = [(":status", "200"), ("cache-control", "public, max-age=60"), ("cdn-cache-control", "x")];
        assert_eq!(fate(false, &kept), Fate::Withheld);
        assert_eq!(fate(true, &kept), Fate::GivenPrivately(b"private, max-age=60".to_vec()));
        assert_eq!(
            fate(true, &[(":status", "200"), ("etag", "a")]),
            Fate::GivenPrivately(b"private".to_vec())
        );
        for is in [true, false] {
            assert_eq!(fate(is, &[(":status", "304")]), Fate::Withheld);
        }
    }
}
