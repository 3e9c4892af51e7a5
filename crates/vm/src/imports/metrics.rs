//! Metrics.

use wasmtime::Linker;

use crate::abi::{MetricKind, Status};
use crate::host::Host;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_define_metric", (guest, kind: u32, name: u32, name_len: u32, out: u32) => {
            let kind = MetricKind::new(kind).ok_or(Status::BadArgument)?;
            let name = String::from_utf8_lossy(&guest.about(name, name_len)?).into_owned();
            let Host { ids, proxy, .. } = guest.host();
            let id = ids.define(&proxy.metrics, kind, &name);
            guest.put_u32(out, id)
        }
    }
    import! {
        linker, "proxy_increment_metric", (guest, id: u32, offset: i64) => {
            let Host { ids, proxy, work, .. } = guest.host();
            work.metrics.push(ids.increment(&proxy.metrics, id, offset)?);
            Ok(())
        }
    }
    import! {
        linker, "proxy_record_metric", (guest, id: u32, value: u64) => {
            let Host { ids, proxy, work, .. } = guest.host();
            work.metrics.push(ids.record(&proxy.metrics, id, value)?);
            Ok(())
        }
    }
    import! {
        linker, "proxy_get_metric", (guest, id: u32, out: u32) => {
            let Host { ids, proxy, .. } = guest.host();
            let value = ids.get(&proxy.metrics, id)?;
            guest.put_u64(out, value)
        }
    }
    Ok(())
}
