//! `anonymousId`: a browser that has no key gets a random id of its own, once, and the id is its key.
//!
//! The cookie says who, and never which backend: so a weight moves users as it does with any other key.
//! One page load asks for many things at once. Only the page itself gets an id, or one visitor would get
//! several. No answer that a cache may keep has one ([`SetCookie`]).

use std::borrow::Cow;

use super::verdict::Anonymous;
use crate::action::set_cookie::SetCookie;
use crate::matching::matches::Match;
use crate::matching::request::Request;
use crate::order::hash_of;

/// The bytes of an id: 128 bits in lower-case hex.
const LENGTH: usize = 32;

/// The ids that a split gives.
#[derive(Clone, Debug)]
pub(super) struct AnonymousId {
    pub(super) cookie: Box<str>,
    /// What stands in `set-cookie` behind the id.
    pub(super) attributes: Box<str>,
    /// Whether browsers take the cookie by https alone.
    pub(super) is_secure: bool,
    /// Whether an answer that a cache may keep is made private, so that every answer can have the cookie.
    pub(super) makes_private: bool,
    /// The visits that may get one.
    pub(super) when: Option<Match>,
    /// The index of the first of its series: [`COUNTED`].
    pub(super) series: usize,
}

/// What is counted of ids, in the order of the series.
pub(super) const COUNTED: [&str; 3] = ["issued", "cacheable", "insecure"];

/// Whether the value of a cookie has the form of an id.
pub(super) fn is_id(value: &[u8]) -> bool {
    value.len() == LENGTH && value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl AnonymousId {
    /// What to do about a request without a key.
    pub(super) fn visit(&self, request: &Request<'_>) -> Option<Anonymous> {
        let may = request.method() == b"GET"
            && is_navigation(request)
            && self.when.as_ref().is_none_or(|when| when.matches(request));
        may.then(|| match (self.is_secure && !request.is_https(), self.makes_private) {
            (true, _) => Anonymous::Insecure,
            (false, true) => Anonymous::Now,
            (false, false) => Anonymous::Later,
        })
    }

    /// The id that a request gets: from what the proxy draws for it, and from the random id by which Envoy
    /// calls it.
    pub(super) fn new_id(request: &Request<'_>) -> String {
        let called = request.values(b"x-request-id").next().unwrap_or_default();
        let drawn = request.nonce().to_le_bytes();
        format!("{:016x}{:016x}", hash_of(&drawn, called), hash_of(called, &drawn))
    }

    /// The cookie for a response.
    pub(super) fn cookie(&self, request: &Request<'_>) -> SetCookie<'static> {
        let line = [&*self.cookie, "=", &Self::new_id(request), &self.attributes].concat();
        SetCookie {
            line: Cow::Owned(line.into_bytes()),
            makes_private: self.makes_private,
            given: self.series,
            withheld: self.series.saturating_add(1),
        }
    }
}

/// Whether a browser asks for a page to show, and not for a part of one. A browser that does not say so
/// asks for HTML.
fn is_navigation(request: &Request<'_>) -> bool {
    let mut said = request.values(b"sec-fetch-dest").peekable();
    if said.peek().is_some() {
        return said.all(|destination| destination == b"document");
    }
    let mut ranges = request.values(b"accept").flat_map(|line| line.split(|byte| *byte == b','));
    ranges.any(|range| {
        let kind = range.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"text/html") || kind.eq_ignore_ascii_case(b"application/xhtml+xml")
    })
}
