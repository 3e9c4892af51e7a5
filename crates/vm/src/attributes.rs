//! The attributes that Envoy derives from a stream, and when each can be read.
//!
//! The table is the one measured on Envoy 1.40: `request.*` while the request's headers are in
//! hand and again in the log, `response.*` from the response on, `request.duration` at the end.

use super::abi::MapType;
use super::headers::{self, Headers};
use super::host::{Host, Root};
use super::properties::Value;
use super::proxy::nanos;
use super::stream::{Phase, Stream};

/// Reads a property as the filter's `get_property` would. What a test set comes first, then what
/// follows from the stream, then filter state, which Envoy also finds under its short name.
pub(super) fn read(host: &mut Host, path: &[u8]) -> Value {
    if let Some(stream) = host.stream()
        && let Some(value) = set_by_test(stream, path)
    {
        return value.clone();
    }
    if let Some(value) = host.properties.get(path) {
        return value.clone();
    }
    let names: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
    if let Some(value) = host.root().and_then(|root| plugin(root, &names)) {
        return value;
    }
    let Some(stream) = host.stream() else {
        return Value::Missing;
    };
    derived(stream, &names).unwrap_or(Value::Missing)
}

fn set_by_test<'a>(stream: &'a Stream, path: &[u8]) -> Option<&'a Value> {
    let answer = if stream.phase >= Phase::Response { stream.answer.get(path) } else { None };
    answer.or_else(|| stream.exchange.get(path))
}

fn plugin(root: &Root, names: &[&[u8]]) -> Option<Value> {
    Some(match names {
        [b"plugin_name"] => root.plugin.name.as_str().into(),
        [b"plugin_root_id"] => root.plugin.root_id.as_str().into(),
        [b"plugin_vm_id"] => "".into(),
        _ => return None,
    })
}

fn derived(stream: &Stream, names: &[&[u8]]) -> Option<Value> {
    match names {
        [group] if GROUPS.contains(group) => Some(Value::Message),
        [b"request", rest @ ..] => request(stream, rest),
        [b"response", rest @ ..] => response(stream, rest),
        [b"source", b"address"] => Some("127.0.0.1:40000".into()),
        [b"source", b"port"] => Some(40_000_i64.into()),
        [b"destination", b"address"] => Some("127.0.0.1:10000".into()),
        [b"destination", b"port"] => Some(10_000_i64.into()),
        [b"upstream", b"address"] => (stream.details == "via_upstream").then(|| "127.0.0.1:20000".into()),
        [b"connection", b"mtls"] => Some(false.into()),
        [b"filter_state", key] => stream.filter_state.get(key).map(Value::from),
        [name] => {
            let key = [b"wasm.", *name].concat();
            stream.filter_state.get(&key).map(Value::from)
        }
        _ => None,
    }
}

fn request(stream: &Stream, names: &[&[u8]]) -> Option<Value> {
    match names {
        [b"time"] => return Some(stream.started.into()),
        [b"protocol"] => return Some(stream.protocol.into()),
        [b"duration"] => {
            return (stream.phase >= Phase::Log).then(|| nanos(stream.duration).into());
        }
        [b"size" | b"total_size"] => return Some(size(&stream.request_body)),
        _ => {}
    }
    let headers = stream.readable(MapType::RequestHeaders)?;
    let header = |name: &str| headers.get(name).map(Value::from);
    let path = headers.get(":path");
    match names {
        [b"path"] => header(":path"),
        [b"url_path"] => path.map(|path| split_path(path).0.into()),
        [b"query"] => path.map(|path| split_path(path).1.into()),
        [b"host"] => header(":authority"),
        [b"method"] => header(":method"),
        [b"scheme"] => header(":scheme"),
        [b"referer"] => header("referer"),
        [b"useragent"] => header("user-agent"),
        [b"id"] => header("x-request-id"),
        [b"headers", rest @ ..] => from_headers(headers, rest),
        _ => None,
    }
}

fn response(stream: &Stream, names: &[&[u8]]) -> Option<Value> {
    if names == [b"flags"] {
        return Some(stream.flags.into());
    }
    if stream.phase < Phase::Response {
        return None;
    }
    match names {
        [b"code"] => stream.code().map(Value::from),
        [b"code_details"] => (!stream.details.is_empty()).then(|| stream.details.as_str().into()),
        [b"grpc_status"] => Some(grpc_status(stream).into()),
        [b"size" | b"total_size"] => Some(size(&stream.response_body)),
        [b"headers", rest @ ..] => from_headers(stream.readable(MapType::ResponseHeaders)?, rest),
        _ => None,
    }
}

fn from_headers(headers: &Headers, names: &[&[u8]]) -> Option<Value> {
    match names {
        [] => Some(headers::encode(headers).into()),
        [name] => headers.joined(name).map(Value::Bytes),
        _ => None,
    }
}

/// Envoy gives every response a gRPC status; a plain 200 has "unknown".
fn grpc_status(stream: &Stream) -> i64 {
    let said = [MapType::ResponseTrailers, MapType::ResponseHeaders]
        .into_iter()
        .find_map(|map| stream.held(map)?.text("grpc-status"));
    said.and_then(|status| status.parse().ok()).unwrap_or(2)
}

fn split_path(path: &[u8]) -> (&[u8], &[u8]) {
    let end = path.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(path.len());
    let (path, rest) = path.split_at(end);
    let query = rest.strip_prefix(b"?").unwrap_or_default();
    (path, query.split(|byte| *byte == b'#').next().unwrap_or_default())
}

fn size(body: &[u8]) -> Value {
    i64::try_from(body.len()).unwrap_or(i64::MAX).into()
}

/// Attributes that only hold others; Envoy cannot write such a message down.
const GROUPS: &[&[u8]] = &[
    b"connection",
    b"destination",
    b"filter_state",
    b"metadata",
    b"request",
    b"response",
    b"source",
    b"upstream",
    b"xds",
];
