//! Properties, and the filter state that writing one makes.

use wasmtime::Linker;

use crate::abi::Status;
use crate::attributes;
use crate::host::Host;
use crate::properties::Value;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_get_property", (guest, path: u32, path_len: u32, out: u32, out_len: u32) => {
            let path = guest.about(path, path_len)?;
            match attributes::read(guest.host(), &path) {
                Value::Bytes(bytes) => guest.give(&bytes, out, out_len),
                Value::Message => Err(Status::SerializationFailure.into()),
                Value::Missing => Err(Status::NotFound.into()),
            }
        }
    }
    import! {
        linker, "proxy_set_property", (guest, path: u32, path_len: u32, value: u32, value_len: u32) => {
            let path = guest.about(path, path_len)?;
            let value = guest.bytes(value, value_len)?;
            // Without a stream there is nothing to hold it.
            let stream = guest.host().stream().ok_or(Status::NotFound)?;
            stream.filter_state.set([b"wasm.", path.as_slice()].concat(), value);
            Ok(())
        }
    }
    Ok(())
}
