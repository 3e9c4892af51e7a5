//! Shared data and queues.

use wasmtime::Linker;

use crate::abi::Status;
use crate::host::Host;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_get_shared_data", (
            guest, key: u32, key_len: u32, out: u32, out_len: u32, out_cas: u32
        ) => {
            let key = guest.about(key, key_len)?;
            let (value, cas) = guest.host().proxy.shared.get(&key).ok_or(Status::NotFound)?;
            guest.give(&value, out, out_len)?;
            guest.put_u32(out_cas, cas)
        }
    }
    import! {
        linker, "proxy_set_shared_data", (
            guest, key: u32, key_len: u32, value: u32, value_len: u32, cas: u32
        ) => {
            let (key, value) = (guest.about(key, key_len)?, guest.bytes(value, value_len)?);
            guest.host().proxy.shared.set(&key, &value, cas)?;
            Ok(())
        }
    }
    import! {
        linker, "proxy_register_shared_queue", (guest, name: u32, name_len: u32, out: u32) => {
            let name = guest.about(name, name_len)?;
            let host = guest.host();
            let root = host.root().map_or(0, |root| root.id);
            let token = host.proxy.shared.register_queue(&name, (host.serial, root));
            guest.put_u32(out, token)
        }
    }
    import! {
        linker, "proxy_resolve_shared_queue", (
            guest, _vm_id: u32, _vm_id_len: u32, name: u32, name_len: u32, out: u32
        ) => {
            let name = guest.about(name, name_len)?;
            let token = guest.host().proxy.shared.resolve_queue(&name).ok_or(Status::NotFound)?;
            guest.put_u32(out, token)
        }
    }
    import! {
        linker, "proxy_enqueue_shared_queue", (guest, token: u32, item: u32, len: u32) => {
            let item = guest.bytes(item, len)?;
            guest.host().proxy.shared.enqueue(token, item)?;
            Ok(())
        }
    }
    import! {
        linker, "proxy_dequeue_shared_queue", (guest, token: u32, out: u32, out_len: u32) => {
            let item = guest.host().proxy.shared.dequeue(token)?;
            guest.give(&item, out, out_len)
        }
    }
    Ok(())
}
