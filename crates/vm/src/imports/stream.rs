//! What a filter can do to its stream: let it go on, cut it, answer it.

use wasmtime::Linker;

use crate::abi::{MapType, Status};
use crate::headers;
use crate::host::Host;
use crate::local_reply::LocalReply;
use crate::stream::Course;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_continue_stream", (guest, kind: u32) => {
            let map = http_stream(kind)?;
            if let Some(stream) = guest.host().stream() {
                stream.resumed = true;
                stream.open(map, false);
            }
            Ok(())
        }
    }
    import! {
        linker, "proxy_close_stream", (guest, kind: u32) => {
            http_stream(kind)?;
            if let Some(stream) = guest.host().stream() {
                stream.course = Course::Cut;
            }
            Ok(())
        }
    }
    import! {
        linker, "proxy_send_local_response", (
            guest, status: u32, details: u32, details_len: u32, body: u32, body_len: u32,
            headers: u32, headers_len: u32, grpc: i32
        ) => {
            let details = guest.text(details, details_len)?.replace(' ', "_");
            let body = guest.bytes(body, body_len)?;
            let headers = headers::decode(&guest.bytes(headers, headers_len)?);
            // A root context has no stream to answer; Envoy takes the call and does nothing.
            let Some(stream) = guest.host().stream() else {
                return Ok(());
            };
            if let Some(first) = &mut stream.reply {
                first.details = details; // the first reply stands, but its details do not
                return Ok(());
            }
            let grpc_status = u32::try_from(grpc).ok();
            stream.reply = Some(LocalReply { status, headers, body, grpc_status, details });
            stream.reply_waits = true;
            Ok(())
        }
    }
    Ok(())
}

/// The headers that come out of reach when an HTTP stream goes on.
fn http_stream(kind: u32) -> Result<MapType, Status> {
    match kind {
        0 => Ok(MapType::RequestHeaders),
        1 => Ok(MapType::ResponseHeaders),
        2 | 3 => Err(Status::Unimplemented),
        _ => Err(Status::BadArgument),
    }
}
