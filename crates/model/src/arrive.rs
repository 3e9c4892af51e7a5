//! How a request looks to a filter once Envoy has read it.

use std::time::{SystemTime, UNIX_EPOCH};

use narrows_cases::bytes::{absolute, header_line};
use narrows_cases::{Protocol, Send};
use narrows_core::{Known, Passage, Peer, Request, StreamInfo};

use crate::headers::Headers;

/// The header in which Envoy keeps by which scheme a request came.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The headers that Envoy hands to a filter: pseudo headers first, names in lower case, an
/// absolute target divided, the cookies of HTTP/2 put together again, headers that Envoy holds
/// once joined, and the scheme by which it came.
pub fn arrives(send: &Send) -> Headers {
    let (authority, target) = absolute(&send.target).unwrap_or((&send.authority, &send.target));
    let mut headers = Headers::of_request()
        .with(":authority", authority)
        .with(":path", target)
        .with(":method", &send.method)
        .with(":scheme", &send.scheme);
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
    if headers.get(FORWARDED_PROTO).is_none() {
        headers.add(FORWARDED_PROTO.as_bytes(), send.scheme.as_bytes());
    }
    headers
}

/// The time by the clock of this machine, in seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The header lines, as bytes.
pub fn lines(send: &Send) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    send.headers.iter().map(|line| header_line(line))
}

/// The request as a policy sees it, with everything that is known of it; `headers` and `metadata` are
/// those that arrive. The nonce stands for a number that differs from request to request. A request that
/// does not say when it is sent is sent now.
pub fn request<'s>(
    send: &'s Send,
    headers: &'s Headers,
    metadata: Option<&'s [u8]>,
    nonce: u64,
) -> Request<'s> {
    let bytes = |text: &'s Option<String>| text.as_deref().map(str::as_bytes);
    let source = &send.source;
    Request::new(headers.iter()).knowing(Known {
        source: Peer { address: bytes(&source.address), principal: bytes(&source.principal) },
        is_verified: source.verified,
        stream_info: StreamInfo {
            server_name: bytes(&send.server_name),
            namespace: bytes(&source.namespace),
            workload: bytes(&source.workload),
            cluster: bytes(&send.cluster),
            virtual_host: bytes(&send.virtual_host),
            is_only_route: false,
        },
        stripped: bytes(&send.stripped),
        metadata,
        filter_state: &[],
        nonce,
        now: send.at.unwrap_or_else(now),
        passage: Passage::Through,
    })
}
