//! What a filter must not write, and what Envoy makes of it when it does.
//!
//! Envoy answers `Ok` to any header a filter writes. The request's it checks later, in the router,
//! and turns the request away; the response's it does not check at all.

use super::abi::{DOWNSTREAM_PROTOCOL_ERROR, NO_ROUTE_FOUND};
use super::headers::Headers;

/// What Envoy does with request headers that it cannot send on.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) flags: u64,
    pub(super) details: &'static str,
    pub(super) why: String,
}

/// What of the request as it came decides whether it can go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Came {
    /// Whether it had `x-forwarded-proto`. Envoy always adds it, and finds no route without it.
    pub(super) with_proto: bool,
}

/// The reason for which Envoy's router would not send these headers upstream.
pub(super) fn request(came: Came, headers: &Headers) -> Option<Refused> {
    let broken = |why: String| Refused {
        status: 503,
        flags: DOWNSTREAM_PROTOCOL_ERROR,
        details: "filter_removed_required_request_headers",
        why: format!("{why}; Envoy answers 503"),
    };
    let lost = |why: &str| Refused {
        status: 404,
        flags: NO_ROUTE_FOUND,
        details: "route_not_found",
        why: format!("{why}; Envoy answers 404"),
    };
    for (name, value) in headers.iter() {
        if !name.iter().all(|byte| is_token(*byte)) {
            return Some(broken(format!("request header name {:?} is not a token", text(name))));
        }
        if !value.iter().all(|byte| is_value(*byte)) {
            return Some(broken(format!("request header {:?} holds CR, LF or NUL", text(name))));
        }
    }
    let method = headers.get(":method").unwrap_or_default();
    if method.is_empty() {
        return Some(broken("the request has lost its :method".to_owned()));
    }
    // A route table with nothing but a default virtual host would not mind.
    if headers.get(":authority").is_none() {
        return Some(lost("the request has lost its :authority"));
    }
    if came.with_proto && headers.get("x-forwarded-proto").is_none() {
        return Some(lost("the request has lost its x-forwarded-proto"));
    }
    let path = headers.get(":path").unwrap_or_default();
    let rooted = path.starts_with(b"/") || path == b"*" || method == b"CONNECT";
    (!rooted).then(|| lost("the request's :path does not start with /"))
}

/// What a client would get on the wire beside the headers that were meant.
pub(super) fn response(headers: &Headers) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in headers.iter() {
        if !name.iter().all(|byte| is_token(*byte)) {
            found.push(format!("response header name {:?} is not a token; Envoy sends it raw", text(name)));
        }
        if !value.iter().all(|byte| is_value(*byte)) {
            found.push(format!("response header {:?} holds CR, LF or NUL; Envoy sends it raw", text(name)));
        }
    }
    match headers.text(":status").and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=599) => {}
        status => found.push(format!("{status:?} is no status for a response")),
    }
    found
}

/// RFC 9110 `tchar`, and the colon that starts a pseudo header.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte)
}

fn is_value(byte: u8) -> bool {
    !matches!(byte, b'\r' | b'\n' | 0)
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
