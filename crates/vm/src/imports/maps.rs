//! Header maps.

use wasmtime::Linker;

use crate::abi::{MapType, Status};
use crate::headers;
use crate::host::Host;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_get_header_map_value", (
            guest, map: u32, key: u32, key_len: u32, out: u32, out_len: u32
        ) => {
            let map = map_type(map)?;
            let key = guest.about(key, key_len)?;
            let value = guest.host().headers(map)?.get(&key).ok_or(Status::NotFound)?.to_vec();
            guest.give(&value, out, out_len)
        }
    }
    import! {
        linker, "proxy_get_header_map_pairs", (guest, map: u32, out: u32, out_len: u32) => {
            // A map out of its phase is an empty map, not a refusal.
            let headers = guest.host().headers(map_type(map)?).ok().filter(|headers| !headers.is_empty());
            let pairs = headers.map(headers::encode).unwrap_or_default();
            guest.give(&pairs, out, out_len)
        }
    }
    import! {
        linker, "proxy_get_header_map_size", (guest, map: u32, out: u32) => {
            let size = guest.host().headers(map_type(map)?).map_or(0, |held| headers::encode(held).len());
            guest.put_u32(out, u32::try_from(size).unwrap_or(u32::MAX))
        }
    }
    import! {
        linker, "proxy_set_header_map_pairs", (guest, map: u32, pairs: u32, len: u32) => {
            let map = map_type(map)?;
            let pairs = guest.bytes(pairs, len)?;
            let headers = guest.host().headers_mut(map)?;
            *headers = headers::decode(&pairs).into_kind(headers.kind());
            Ok(())
        }
    }
    import! {
        linker, "proxy_add_header_map_value", (
            guest, map: u32, key: u32, key_len: u32, value: u32, value_len: u32
        ) => {
            let map = map_type(map)?;
            let (key, value) = (guest.about(key, key_len)?, guest.bytes(value, value_len)?);
            guest.host().headers_mut(map)?.add(&key, &value);
            Ok(())
        }
    }
    import! {
        linker, "proxy_replace_header_map_value", (
            guest, map: u32, key: u32, key_len: u32, value: u32, value_len: u32
        ) => {
            let map = map_type(map)?;
            let (key, value) = (guest.about(key, key_len)?, guest.bytes(value, value_len)?);
            guest.host().headers_mut(map)?.set(&key, &value);
            Ok(())
        }
    }
    import! {
        linker, "proxy_remove_header_map_value", (guest, map: u32, key: u32, key_len: u32) => {
            let map = map_type(map)?;
            let key = guest.about(key, key_len)?;
            guest.host().headers_mut(map)?.remove(&key);
            Ok(())
        }
    }
    Ok(())
}

fn map_type(number: u32) -> Result<MapType, Status> {
    MapType::new(number).ok_or(Status::BadArgument)
}
