//! Callouts: HTTP is kept until a test answers it; gRPC is refused.

use std::time::Duration;

use wasmtime::Linker;

use crate::abi::Status;
use crate::callouts::HttpCall;
use crate::guest::{Answer, Guest};
use crate::headers::{self, Headers, Kind};
use crate::host::Host;
use crate::proxy::Cluster;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_http_call", (
            guest, cluster: u32, cluster_len: u32, headers: u32, headers_len: u32, body: u32,
            body_len: u32, _trailers: u32, _trailers_len: u32, timeout: u32, out: u32
        ) => {
            guest.about(cluster, cluster_len)?;
            let cluster = guest.text(cluster, cluster_len)?;
            let headers = headers::decode(&guest.bytes(headers, headers_len)?).into_kind(Kind::Request);
            let body = guest.bytes(body, body_len)?;
            let timeout = Duration::from_millis(timeout.into());
            let token = send(guest, cluster, headers, body, timeout)?;
            guest.put_u32(out, token)
        }
    }
    grpc(linker)
}

fn send(
    guest: &mut Guest<'_, '_>,
    cluster: String,
    headers: Headers,
    body: Vec<u8>,
    timeout: Duration,
) -> Answer<u32> {
    let host = guest.host();
    let known = host.proxy.clusters.get(&cluster).ok_or(Status::BadArgument)?;
    if [":method", ":path", ":authority"].iter().any(|name| headers.get(name).is_none()) {
        return Err(Status::BadArgument.into());
    }
    // The lowest two bits say what kind of callout it is: none of them is of HTTP.
    host.last_token += 4;
    if known == Cluster::Empty {
        return Err(Status::InternalFailure.into());
    }
    let root = host.root().map_or(0, |root| root.id);
    let token = host.last_token;
    host.pending.push(HttpCall { token, root, cluster, headers, body, timeout });
    Ok(token)
}

/// Refused, and in the account, so that a test sees that the filter tried.
fn grpc(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_grpc_call", (
            _guest, _a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32, _g: u32, _h: u32, _i: u32,
            _j: u32, _k: u32, _l: u32
        ) => {
            Err(Status::Unimplemented.into())
        }
    }
    import! {
        linker, "proxy_grpc_stream", (
            _guest, _a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32, _g: u32, _h: u32, _i: u32
        ) => {
            Err(Status::Unimplemented.into())
        }
    }
    import! {
        linker, "proxy_grpc_send", (_guest, _token: u32, _data: u32, _len: u32, _end: u32) => {
            Err(Status::Unimplemented.into())
        }
    }
    import! {
        linker, "proxy_grpc_cancel", (_guest, _token: u32) => {
            Err(Status::Unimplemented.into())
        }
    }
    import! {
        linker, "proxy_grpc_close", (_guest, _token: u32) => {
            Err(Status::Unimplemented.into())
        }
    }
    Ok(())
}
