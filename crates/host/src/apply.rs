//! Applying a decision: the only writer.

use std::str::from_utf8;

use narrows_core::set_cookie::{Fate, HEADER, OF_CACHES, SetCookie};
use narrows_core::{Decision, Edit, Reply, location, names};

use crate::abi::{self, MapType, map::Map};
use crate::metric::Ids;

/// Adds the counts that were decided on a request, in any phase.
pub(crate) fn count(decision: &Decision<'_>, ids: &Ids) {
    for series in &decision.count {
        ids.add(*series, 1);
    }
}

/// Publishes filter state, in any phase.
pub(crate) fn publish<N: AsRef<str>, V: AsRef<[u8]>>(state: &[(N, V)]) {
    for (name, value) in state {
        abi::set_property(name.as_ref(), value.as_ref());
    }
}

/// Carries out the decision on a request; only in the request phase. Returns whether the request was
/// answered and must not go on.
pub(crate) fn request(decision: &Decision<'_>) -> bool {
    strip(&decision.stripped);
    edits(MapType::RequestHeaders, &decision.request);
    decision.reply.as_ref().map(reply).is_some()
}

/// Removes headers that a client must not have sent; only in the request phase.
pub(crate) fn strip(names: &[&[u8]]) {
    for name in names.iter().filter_map(|name| from_utf8(name).ok()) {
        abi::remove_header(MapType::RequestHeaders, name);
    }
}

/// Applies edits to the headers of a message; only in the phase of that message.
pub(crate) fn edits(map: MapType, edits: &[Edit<'_>]) {
    for edit in edits {
        match edit {
            Edit::Remove(name) => abi::remove_header(map, name),
            Edit::Set(name, value) => abi::set_header(map, name, value),
            Edit::Add(name, value) => abi::add_header(map, name, value),
            Edit::Relocate(from, to) => {
                let held = abi::header(map, edit.name());
                if let Some(moved) = held.and_then(|held| location::moved(&held, from, to)) {
                    abi::set_header(map, edit.name(), &moved);
                }
            }
            // Only of a response: see `give`.
            Edit::SetCookie(_) => {}
        }
    }
}

/// Gives a cookie with a response, if no cache may keep it, and counts what became of it; only in the
/// response phase.
#[inline(never)]
pub(crate) fn give(cookie: &SetCookie<'_>, ids: &Ids) {
    let map = MapType::ResponseHeaders;
    let headers = Map::read(map);
    let fate = cookie.on(&headers.lines());
    if fate == Fate::Withheld {
        return ids.add(cookie.withheld, 1);
    }
    if let Fate::GivenPrivately(caching) = &fate {
        OF_CACHES.iter().for_each(|name| abi::remove_header(map, name));
        abi::set_header(map, "cache-control", caching);
    }
    abi::add_header(map, HEADER, &cookie.line);
    ids.add(cookie.given, 1);
}

/// Removes the headers of a message that are `unwanted`; only in the phase of that message. Pseudo
/// headers stay.
pub(crate) fn removal(map: MapType, unwanted: impl Fn(&[u8]) -> bool) {
    let headers = Map::read(map);
    let names = headers.pairs().map(|(name, _)| name);
    let names = names.filter(|name| !name.starts_with(b":") && unwanted(name)).collect();
    for name in names::distinct(names).into_iter().filter_map(|name| from_utf8(name).ok()) {
        abi::remove_header(map, name);
    }
}

/// Sends an answer in place of the upstream's. A gRPC answer has its status in a header of its own.
fn reply(reply: &Reply<'_>) {
    // A header whose value quotes the request is text, or it is left out.
    let headers =
        reply.headers.iter().filter(|(_, value)| reply.grpc_status.is_some() || from_utf8(value).is_ok());
    let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
    match reply.grpc_status {
        None => abi::send_response(reply.status.into(), &headers, &reply.body, None),
        // The body becomes the message of the status, which is text.
        Some(status) => {
            let message = from_utf8(&reply.body).unwrap_or_default();
            abi::send_response(200, &headers, message.as_bytes(), Some(status));
        }
    }
}
