//! Which requests are timed.

use crate::language::limits::BODY_TIMED;
use crate::matching::request::Request;

/// Whether it is a call of gRPC.
pub(super) fn is_grpc(request: &Request<'_>) -> bool {
    let kind = said(request, b"content-type");
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc".as_slice()));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The first line of a header.
#[inline(never)]
fn said<'r>(request: &Request<'r>, name: &[u8]) -> Option<&'r [u8]> {
    request.values(name).next()
}

/// Whether the time to the response is the backend's: neither a tunnel nor a long upload.
pub(super) fn is_timed(request: &Request<'_>, is_grpc: bool) -> bool {
    let method = request.method();
    let said = |name: &[u8]| said(request, name);
    if method == b"CONNECT" || said(b"upgrade").is_some() {
        return false;
    }
    let length = said(b"content-length");
    let length =
        length.map(|value| std::str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok()));
    match length {
        _ if is_grpc => true,
        Some(length) => length.is_some_and(|length| length <= BODY_TIMED),
        // A body whose length nobody says; over HTTP/2 it need not say that there is one.
        None => said(b"transfer-encoding").is_none() && !matches!(method, b"POST" | b"PUT" | b"PATCH"),
    }
}
