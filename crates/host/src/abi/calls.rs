//! The host calls that a filter makes.
//!
//! A call that Envoy refuses returns nothing: what a filter asks for may be absent, or not available in
//! this phase, and neither is a reason to stop a worker.
#![expect(unsafe_code, reason = "host calls take addresses; see the head of `abi`")]

use super::memory::Returned;
use super::{BufferType, LogLevel, MapType, MetricType, form};

/// The status of a call that was carried out.
const OK: u32 = 0;
/// The gRPC status of an answer that has none.
const NO_GRPC_STATUS: i32 = -1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    safe fn proxy_get_current_time_nanoseconds(time: &mut u64) -> u32;
    safe fn proxy_get_metric(id: u32, value: &mut u64) -> u32;
    safe fn proxy_record_metric(id: u32, value: u64) -> u32;
    safe fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_log(level: LogLevel, text: *const u8, length: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: BufferType,
        start: usize,
        most: usize,
        address: &mut *mut u8,
        length: &mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: MapType, address: &mut *mut u8, length: &mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: MapType,
        name: *const u8,
        name_length: usize,
        address: &mut *mut u8,
        length: &mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: MapType,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: MapType,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: MapType, name: *const u8, name_length: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_length: usize,
        address: &mut *mut u8,
        length: &mut usize,
    ) -> u32;
    fn proxy_set_property(path: *const u8, path_length: usize, value: *const u8, value_length: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_length: usize,
        address: &mut *mut u8,
        length: &mut usize,
        version: &mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_length: usize,
        value: *const u8,
        value_length: usize,
        version: u32,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_length: usize,
        body: *const u8,
        body_length: usize,
        headers: *const u8,
        headers_length: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_length: usize,
        headers: *const u8,
        headers_length: usize,
        body: *const u8,
        body_length: usize,
        trailers: *const u8,
        trailers_length: usize,
        timeout: u32,
        token: &mut u32,
    ) -> u32;
    fn proxy_define_metric(kind: MetricType, name: *const u8, name_length: usize, id: &mut u32) -> u32;
}

/// Asks to be woken; 0 ends it.
pub(crate) fn set_tick_period(milliseconds: u32) {
    proxy_set_tick_period_milliseconds(milliseconds);
}

/// Nanoseconds since the epoch.
pub(crate) fn now() -> u64 {
    let mut time = 0;
    proxy_get_current_time_nanoseconds(&mut time);
    time
}

pub(crate) fn metric(id: u32) -> Option<u64> {
    let mut value = 0;
    (proxy_get_metric(id, &mut value) == OK).then_some(value)
}

/// Sets a gauge, or gives a histogram one more value.
pub(crate) fn record_metric(id: u32, value: u64) {
    proxy_record_metric(id, value);
}

pub(crate) fn increment_metric(id: u32, by: u64) {
    proxy_increment_metric(id, i64::try_from(by).unwrap_or(i64::MAX));
}

/// Adds one to a gauge, or takes one away.
pub(crate) fn step_metric(id: u32, is_up: bool) {
    proxy_increment_metric(id, if is_up { 1 } else { -1 });
}

/// Defines a series, and returns its id.
pub(crate) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: a text that outlives the call.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) };
    (status == OK).then_some(id)
}

pub(crate) fn log(level: LogLevel, text: &str) {
    // SAFETY: a text that outlives the call.
    unsafe { proxy_log(level, text.as_ptr(), text.len()) };
}

/// The first bytes of a configuration, at most as many.
pub(crate) fn buffer(buffer: BufferType, most: usize) -> Option<Box<[u8]>> {
    returned(|at| {
        // SAFETY: both places outlive the call.
        unsafe { proxy_get_buffer_bytes(buffer, 0, most, &mut at.address, &mut at.length) }
    })
}

/// All headers, in the ABI's form.
pub(super) fn header_map(map: MapType) -> Option<Box<[u8]>> {
    returned(|at| {
        // SAFETY: both places outlive the call.
        unsafe { proxy_get_header_map_pairs(map, &mut at.address, &mut at.length) }
    })
}

/// One header, or the first of several lines. None if there is none; an empty one is empty.
pub(crate) fn header(map: MapType, name: &str) -> Option<Box<[u8]>> {
    returned(|at| {
        // SAFETY: a name and two places that outlive the call.
        unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), &mut at.address, &mut at.length) }
    })
}

/// Sets a header in place of all lines of its name.
pub(crate) fn set_header(map: MapType, name: &str, value: &[u8]) {
    // SAFETY: a name and a value that outlive the call.
    unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len());
    }
}

/// Adds a line.
pub(crate) fn add_header(map: MapType, name: &str, value: &[u8]) {
    // SAFETY: a name and a value that outlive the call.
    unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len());
    }
}

/// Removes all lines of a name.
pub(crate) fn remove_header(map: MapType, name: &str) {
    // SAFETY: a name that outlives the call.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) };
}

/// A property; none if it is unknown, empty or not available in this phase.
pub(crate) fn property(path: &[&str]) -> Option<Box<[u8]>> {
    let path = form::path(path);
    returned(|at| {
        // SAFETY: a path and two places that outlive the call.
        unsafe { proxy_get_property(path.as_ptr(), path.len(), &mut at.address, &mut at.length) }
    })
    .filter(|value| !value.is_empty())
}

/// Writes filter state; Envoy puts `wasm.` before the name.
pub(crate) fn set_property(name: &str, value: &[u8]) {
    // SAFETY: a name and a value that outlive the call.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

/// Shared data and its version, which is 0 if there is none.
pub(crate) fn shared_data(key: &str) -> Option<(Box<[u8]>, u32)> {
    let mut version = 0;
    let value = returned(|at| {
        // SAFETY: a key and three places that outlive the call.
        unsafe {
            proxy_get_shared_data(key.as_ptr(), key.len(), &mut at.address, &mut at.length, &mut version)
        }
    })?;
    Some((value, version))
}

/// Writes shared data, unless it has another version. Returns whether it was written.
pub(crate) fn set_shared_data(key: &str, value: &[u8], version: u32) -> bool {
    // SAFETY: a key and a value that outlive the call.
    let status =
        unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) };
    status == OK
}

/// Sends an answer in place of the upstream's.
pub(crate) fn send_response(status: u32, headers: &[(&str, &[u8])], body: &[u8], grpc: Option<u8>) {
    let headers = form::pairs(headers);
    let grpc = grpc.map_or(NO_GRPC_STATUS, i32::from);
    // SAFETY: no details; a body and headers that outlive the call.
    unsafe {
        proxy_send_local_response(
            status,
            [].as_ptr(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc,
        );
    }
}

/// Sends a request without a body, and returns its token. None if the cluster does not exist, or has no
/// host.
pub(crate) fn call(cluster: &str, headers: &[(&str, &[u8])], milliseconds: u32) -> Option<u32> {
    let (headers, trailers) = (form::pairs(headers), form::pairs(&[]));
    let mut token = 0;
    // SAFETY: texts and lists that outlive the call, an empty body, and a place for the token.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            [].as_ptr(),
            0,
            trailers.as_ptr(),
            trailers.len(),
            milliseconds,
            &mut token,
        )
    };
    (status == OK).then_some(token)
}

/// What a call returns, which may be empty; none if it was refused.
fn returned(call: impl FnOnce(&mut Returned) -> u32) -> Option<Box<[u8]>> {
    let mut at = Returned::nothing();
    let status = call(&mut at);
    // SAFETY: only the call wrote there.
    (status == OK).then(|| unsafe { at.take() })
}
