//! How a request looks to a filter once Envoy has read it.

use narrows_cases::bytes::{absolute, header_line};
use narrows_cases::{Protocol, Send};
use narrows_vm::Headers;

/// The headers that Envoy hands to a filter: pseudo headers first, names in lower case, an
/// absolute target divided, the cookies of HTTP/2 put together again, headers that Envoy holds
/// once joined, and the scheme by which it came.
pub(crate) fn arrives(send: &Send) -> Headers {
    let (authority, target) = absolute(&send.target).unwrap_or((&send.authority, &send.target));
    let mut headers = Headers::of_request()
        .with(":authority", authority)
        .with(":path", target)
        .with(":method", &send.method)
        .with(":scheme", "http");
    let mut cookies: Vec<u8> = Vec::new();
    for (name, value) in lines(send) {
        if send.protocol == Protocol::Http2 && name.eq_ignore_ascii_case(b"cookie") {
            if !cookies.is_empty() {
                cookies.extend_from_slice(b"; ");
            }
            cookies.extend_from_slice(&value);
        } else {
            headers.add(&name, &value);
        }
    }
    if !cookies.is_empty() {
        headers.add(b"cookie", &cookies);
    }
    if headers.get("x-forwarded-proto").is_none() {
        headers.add(b"x-forwarded-proto", b"http");
    }
    headers
}

/// The header lines, as bytes.
pub(crate) fn lines(send: &Send) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    send.headers.iter().map(|line| header_line(line))
}
