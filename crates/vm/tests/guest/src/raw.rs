//! The host calls as they are, with the status for an answer.

use std::ptr::{null, null_mut};

pub type Outcome = Result<Vec<u8>, u32>;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_value(
        map: u32,
        key: *const u8,
        key_len: usize,
        out: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, out: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        key: *const u8,
        key_len: usize,
        value: *const u8,
        len: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_len: usize,
        value: *const u8,
        len: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_len: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_len: usize, out: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_len: usize, value: *const u8, len: usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_len: usize,
        out: *mut *mut u8,
        len: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_len: usize, value: *const u8, len: usize, cas: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, len: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc: i32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_len: usize,
        arguments: *const u8,
        arguments_len: usize,
        out: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max: usize,
        out: *mut *mut u8,
        len: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, len: usize) -> u32;
    fn proxy_grpc_cancel(token: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(millis: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_register_shared_queue(name: *const u8, len: usize, token: *mut u32) -> u32;
    fn proxy_resolve_shared_queue(
        vm: *const u8,
        vm_len: usize,
        name: *const u8,
        len: usize,
        token: *mut u32,
    ) -> u32;
    fn proxy_enqueue_shared_queue(token: u32, item: *const u8, len: usize) -> u32;
    fn proxy_dequeue_shared_queue(token: u32, out: *mut *mut u8, len: *mut usize) -> u32;
    fn proxy_done() -> u32;
    fn proxy_continue_stream(kind: u32) -> u32;
    fn proxy_get_current_time_nanoseconds(out: *mut u64) -> u32;
}

pub fn map(name: &str) -> u32 {
    ["request", "request-trailers", "response", "response-trailers", "", "", "call"]
        .iter()
        .position(|known| *known == name)
        .and_then(|place| u32::try_from(place).ok())
        .unwrap_or(99)
}

pub fn number(bytes: Vec<u8>) -> Vec<u8> {
    let number = bytes.try_into().map(i64::from_le_bytes);
    number.map_or(b"not a number".to_vec(), |n| n.to_string().into_bytes())
}

pub fn get_header(map: u32, key: &str) -> Outcome {
    fetch(|out, len| unsafe { proxy_get_header_map_value(map, key.as_ptr(), key.len(), out, len) })
}

pub fn get_pairs(map: u32) -> Outcome {
    fetch(|out, len| unsafe { proxy_get_header_map_pairs(map, out, len) })
}

pub fn add_header(map: u32, key: &str, value: &str) -> Outcome {
    plain(unsafe { proxy_add_header_map_value(map, key.as_ptr(), key.len(), value.as_ptr(), value.len()) })
}

pub fn replace_header(map: u32, key: &str, value: &str) -> Outcome {
    plain(unsafe {
        proxy_replace_header_map_value(map, key.as_ptr(), key.len(), value.as_ptr(), value.len())
    })
}

pub fn remove_header(map: u32, key: &str) -> Outcome {
    plain(unsafe { proxy_remove_header_map_value(map, key.as_ptr(), key.len()) })
}

pub fn get_property(path: &str) -> Outcome {
    // A slash separates names, so that names may hold dots.
    let path = path.replace('/', "\0");
    fetch(|out, len| unsafe { proxy_get_property(path.as_ptr(), path.len(), out, len) })
}

pub fn set_property(path: &str, value: &str) -> Outcome {
    plain(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

pub fn get_shared(key: &str) -> Outcome {
    let mut cas = 0;
    let mut value =
        fetch(|out, len| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), out, len, &raw mut cas) })?;
    value.extend(format!(" cas {cas}").bytes());
    Ok(value)
}

pub fn set_shared(key: &str, value: &str, cas: u32) -> Outcome {
    plain(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
}

pub fn define(kind: u32, name: &str) -> Outcome {
    let mut id = 0;
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    plain(status).map(|_| id.to_string().into_bytes())
}

pub fn increment(id: u32, offset: i64) -> Outcome {
    plain(unsafe { proxy_increment_metric(id, offset) })
}

pub fn record(id: u32, value: u64) -> Outcome {
    plain(unsafe { proxy_record_metric(id, value) })
}

pub fn metric(id: u32) -> Outcome {
    let mut value = 0;
    let status = unsafe { proxy_get_metric(id, &raw mut value) };
    plain(status).map(|_| value.to_string().into_bytes())
}

pub fn reply(status: u32, body: &str, grpc: i32) -> Outcome {
    let details = "as asked";
    let headers = b"\x01\0\0\0\x03\0\0\0\x01\0\0\0x-r\x001\0";
    plain(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc,
        )
    })
}

pub fn foreign(name: &str) -> Outcome {
    fetch(|out, len| unsafe { proxy_call_foreign_function(name.as_ptr(), name.len(), null(), 0, out, len) })
}

pub fn buffer(buffer: u32) -> Outcome {
    fetch(|out, len| unsafe { proxy_get_buffer_bytes(buffer, 0, 1000, out, len) })
}

pub fn fill(buffer: u32, text: &str) -> Outcome {
    plain(unsafe { proxy_set_buffer_bytes(buffer, 0, 1000, text.as_ptr(), text.len()) })
}

/// Through the SDK, which remembers who called.
pub fn http_call(cluster: &str) -> Outcome {
    let headers = vec![(":method", "GET"), (":path", "/"), (":authority", "guard")];
    let timeout = std::time::Duration::from_secs(1);
    proxy_wasm::hostcalls::dispatch_http_call(cluster, headers, None, vec![], timeout)
        .map(|token| token.to_string().into_bytes())
        .map_err(|status| status as u32)
}

pub fn grpc_cancel() -> Outcome {
    plain(unsafe { proxy_grpc_cancel(1) })
}

pub fn tick(millis: u32) -> Outcome {
    plain(unsafe { proxy_set_tick_period_milliseconds(millis) })
}

pub fn effective(context: u32) -> Outcome {
    plain(unsafe { proxy_set_effective_context(context) })
}

pub fn enqueue(name: &str, item: &str) -> Outcome {
    let mut token = 0;
    plain(unsafe { proxy_resolve_shared_queue(null(), 0, name.as_ptr(), name.len(), &raw mut token) })?;
    plain(unsafe { proxy_enqueue_shared_queue(token, item.as_ptr(), item.len()) })
}

pub fn dequeue(name: &str) -> Outcome {
    let mut token = 0;
    plain(unsafe { proxy_register_shared_queue(name.as_ptr(), name.len(), &raw mut token) })?;
    fetch(|out, len| unsafe { proxy_dequeue_shared_queue(token, out, len) })
}

pub fn done() -> Outcome {
    plain(unsafe { proxy_done() })
}

pub fn resume() -> Outcome {
    plain(unsafe { proxy_continue_stream(0) })
}

pub fn time() -> Outcome {
    let mut nanos = 0;
    plain(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanos) })
        .map(|_| nanos.to_string().into_bytes())
}

fn plain(status: u32) -> Outcome {
    if status == 0 { Ok(Vec::new()) } else { Err(status) }
}

fn fetch(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Outcome {
    let (mut data, mut len) = (null_mut(), 0);
    plain(call(&raw mut data, &raw mut len))?;
    // SAFETY: the host filled a block that this module's own allocator made for it.
    Ok(if data.is_null() { Vec::new() } else { unsafe { Vec::from_raw_parts(data, len, len) } })
}
