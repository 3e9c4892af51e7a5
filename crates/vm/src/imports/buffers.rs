//! Bodies and configurations.

use wasmtime::Linker;

use crate::abi::{BufferType, Status};
use crate::host::Host;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_get_buffer_bytes", (
            guest, buffer: u32, start: u32, max: u32, out: u32, out_len: u32
        ) => {
            let buffer = BufferType::new(buffer).ok_or(Status::BadArgument)?;
            let bytes = guest.host().buffer(buffer)?;
            let end = start.checked_add(max).ok_or(Status::BadArgument)? as usize;
            let start = start as usize;
            match bytes.get(start..end.min(bytes.len())).filter(|part| !part.is_empty()) {
                Some(part) => {
                    let part = part.to_vec();
                    guest.give(&part, out, out_len)
                }
                None => Ok(()), // nothing to copy, and nothing written
            }
        }
    }
    import! {
        linker, "proxy_get_buffer_status", (guest, buffer: u32, len: u32, flags: u32) => {
            let buffer = BufferType::new(buffer).ok_or(Status::BadArgument)?;
            let size = guest.host().buffer(buffer)?.len();
            guest.put_u32(len, u32::try_from(size).unwrap_or(u32::MAX))?;
            guest.put_u32(flags, 0)
        }
    }
    import! {
        linker, "proxy_set_buffer_bytes", (
            guest, buffer: u32, start: u32, size: u32, data: u32, len: u32
        ) => {
            let buffer = BufferType::new(buffer).ok_or(Status::BadArgument)?;
            let data = guest.bytes(data, len)?;
            let host = guest.host();
            host.buffer(buffer)?;
            let body = host.stream().and_then(|stream| stream.body(buffer));
            let body = body.ok_or(Status::BadArgument)?; // there, but not to be written now
            // Envoy can prepend, replace a head, and append; it cannot write in the middle.
            if start == 0 {
                let head = (size as usize).min(body.len());
                body.splice(..head, data);
            } else if start as usize >= body.len() {
                body.extend_from_slice(&data);
            } else {
                return Err(Status::BadArgument.into());
            }
            Ok(())
        }
    }
    Ok(())
}
