//! Applying a decision: the only writer.

use std::str::from_utf8;

use narrows_core::{Decision, Edit, Reply, names};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MapType;

use crate::map::Map;
use crate::metric::Ids;

/// Adds the counts and publishes the state that were decided on a request, in any phase.
pub(crate) fn account(decision: &Decision<'_>, ids: &Ids) {
    for series in &decision.count {
        ids.add(*series, 1);
    }
    for (name, value) in &decision.state {
        // A status other than Ok would need a missing stream, and here there is a stream.
        _ = hostcalls::set_property(vec![name], Some(value));
    }
}

/// Carries out the decision on a request; only in the request phase. Returns whether the request was
/// answered and must not go on.
pub(crate) fn request(decision: &Decision<'_>) -> bool {
    for name in decision.stripped.iter().filter_map(|name| from_utf8(name).ok()) {
        _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, None);
    }
    edits(MapType::HttpRequestHeaders, &decision.request);
    decision.reply.as_ref().map(reply).is_some()
}

/// Applies edits to the headers of a message; only in the phase of that message.
pub(crate) fn edits(map: MapType, edits: &[Edit<'_>]) {
    for edit in edits {
        _ = match edit {
            Edit::Remove(name) => hostcalls::set_map_value_bytes(map, name, None),
            Edit::Set(name, value) => hostcalls::set_map_value_bytes(map, name, Some(value)),
            Edit::Add(name, value) => hostcalls::add_map_value_bytes(map, name, value),
        };
    }
}

/// Removes the headers of a message that are `unwanted`; only in the phase of that message. Pseudo
/// headers stay.
pub(crate) fn removal(map: MapType, unwanted: impl Fn(&[u8]) -> bool) {
    let headers = Map::read(map);
    let names = headers.pairs().map(|(name, _)| name);
    let names = names.filter(|name| !name.starts_with(b":") && unwanted(name)).collect();
    for name in names::distinct(names).into_iter().filter_map(|name| from_utf8(name).ok()) {
        _ = hostcalls::set_map_value_bytes(map, name, None);
    }
}

/// Sends an answer in place of the upstream's.
fn reply(reply: &Reply<'_>) {
    // The SDK takes text here, but a value quoted from the request may not be text.
    let headers = reply.headers.iter().filter_map(|(name, value)| Some((&**name, from_utf8(value).ok()?)));
    _ = match reply.grpc_status {
        None => hostcalls::send_http_response(
            u32::from(reply.status),
            headers.collect(),
            Some(&*reply.body).filter(|body| !body.is_empty()),
        ),
        Some(status) => {
            let custom = headers.map(|(name, value)| (name, value.as_bytes())).collect();
            hostcalls::send_grpc_response(grpc(status), from_utf8(&reply.body).ok(), custom)
        }
    };
}

fn grpc(status: u8) -> proxy_wasm::types::GrpcStatusCode {
    use proxy_wasm::types::GrpcStatusCode as Code;
    match status {
        0 => Code::Ok,
        1 => Code::Cancelled,
        3 => Code::InvalidArgument,
        4 => Code::DeadlineExceeded,
        5 => Code::NotFound,
        6 => Code::AlreadyExists,
        7 => Code::PermissionDenied,
        8 => Code::ResourceExhausted,
        9 => Code::FailedPrecondition,
        10 => Code::Aborted,
        11 => Code::OutOfRange,
        12 => Code::Unimplemented,
        13 => Code::Internal,
        14 => Code::Unavailable,
        15 => Code::DataLoss,
        16 => Code::Unauthenticated,
        _ => Code::Unknown,
    }
}
