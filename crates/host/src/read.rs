//! Reading from Envoy: only bytes, and nothing that the policy did not ask for.

use std::cell::{Cell, RefCell};

use narrows_core::limits::POLICY_BYTES;
use narrows_core::sanitize;

use crate::abi::{self, BufferType, MapType};

/// `:authority` alone; only in the request phase.
pub(crate) fn authority() -> Vec<u8> {
    request_header(":authority").unwrap_or_default()
}

/// One request header, or the first of several lines; only in the request phase.
pub(crate) fn request_header(name: &str) -> Option<Vec<u8>> {
    abi::header(MapType::RequestHeaders, name).map(Vec::from)
}

/// `:status` of the answer to a callout, if it has headers; only in its callback.
pub(crate) fn call_status() -> Option<Vec<u8>> {
    abi::header(MapType::CallHeaders, ":status").map(Vec::from)
}

/// A property; `None` if it is unknown, empty or not available in this phase.
pub(crate) fn property(path: &[&str]) -> Option<Vec<u8>> {
    if !KEPT.get().is_some_and(|is_kept| is_kept(path)) {
        return read_property(path);
    }
    let key = path.join(".");
    let known =
        SEEN.with_borrow(|seen| seen.iter().find(|(path, _)| *path == key).map(|(_, value)| value.clone()));
    known.unwrap_or_else(|| {
        let value = read_property(path);
        SEEN.with_borrow_mut(|seen| seen.push((key, value.clone())));
        value
    })
}

fn read_property(path: &[&str]) -> Option<Vec<u8>> {
    abi::property(path).map(Vec::from)
}

/// Which properties are read only once for now.
type Kept = fn(&[&str]) -> bool;

thread_local! {
    static KEPT: Cell<Option<Kept>> = const { Cell::new(None) };
    static SEEN: RefCell<Vec<(String, Option<Vec<u8>>)>> = const { RefCell::new(Vec::new()) };
}

/// Does something that reads each property of `kept` at most once.
pub(crate) fn once<T>(kept: Kept, does: impl FnOnce() -> T) -> T {
    KEPT.set(Some(kept));
    let done = does();
    KEPT.set(None);
    SEEN.take();
    done
}

/// What earlier filters of the proxy have stripped and written, and what this one has, in one list.
pub(crate) fn after_earlier(said: &[u8]) -> Vec<u8> {
    match property(&[sanitize::PROVENANCE]) {
        Some(earlier) => [&earlier, b",".as_slice(), said].concat(),
        None => said.to_vec(),
    }
}

/// What stays the same while the parts of a policy decide and edit the request.
pub(crate) fn of_connection(path: &[&str]) -> bool {
    matches!(
        path,
        ["source" | "connection" | "filter_state", ..] | ["xds", "listener_direction" | "node", ..]
    )
}

/// What stays the same once a request has been served: all but the filter state that filters of ours
/// write.
pub(crate) fn of_served(path: &[&str]) -> bool {
    path.len() > 1
}

/// Objects of filter state, each beside its name; `None` where there is none.
pub(crate) fn filter_state(names: &[Box<str>]) -> Vec<(&str, Option<Vec<u8>>)> {
    if names.is_empty() {
        return Vec::new();
    }
    names.iter().map(|name| (&**name, property(&["filter_state", name]))).collect()
}

/// The cluster that Envoy's route leads to, as matched last; empty if there is none.
pub(crate) fn cluster() -> Vec<u8> {
    property(&["xds", "cluster_name"]).unwrap_or_default()
}

/// A property that is a number, 0 if there is none.
pub(crate) fn number(path: &[&str]) -> u64 {
    let bytes = property(path).unwrap_or_default();
    bytes.first_chunk().copied().map_or(0, u64::from_le_bytes)
}

/// The root id of the plugin; empty if it has none.
pub(crate) fn root_id() -> Vec<u8> {
    property(&["plugin_root_id"]).unwrap_or_default()
}

/// Whether an upstream answered; in the log phase.
pub(crate) fn by_upstream() -> bool {
    property(&["response", "code_details"]).is_some_and(|details| details == b"via_upstream")
}

/// Whether the address that served a request is the one that the caller dialled; `None` if no address
/// did. In the log phase.
pub(crate) fn at_dialled() -> Option<bool> {
    let served = property(&["upstream", "address"])?;
    Some(property(&["destination", "address"]).is_some_and(|dialled| dialled == served))
}

/// The policy as configured; empty if there is none.
pub(crate) fn policy() -> Vec<u8> {
    buffer(BufferType::PluginConfiguration)
}

/// The configuration of the VM; empty if there is none.
pub(crate) fn vm() -> Vec<u8> {
    buffer(BufferType::VmConfiguration)
}

/// Nanoseconds since the epoch.
pub(crate) fn now_nanos() -> u64 {
    abi::now()
}

/// Milliseconds since the epoch.
pub(crate) fn now_millis() -> u64 {
    abi::now() / 1_000_000
}

/// Microseconds since the epoch.
pub(crate) fn now_micros() -> u64 {
    abi::now() / 1_000
}

/// One byte more than a policy may have is enough to refuse it.
fn buffer(buffer: BufferType) -> Vec<u8> {
    abi::buffer(buffer, POLICY_BYTES + 1).map(Vec::from).unwrap_or_default()
}
