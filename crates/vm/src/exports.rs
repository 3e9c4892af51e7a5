//! The callbacks of a filter, looked up once per VM.

use wasmtime::{AsContextMut, Instance, TypedFunc, WasmParams, WasmResults};

use super::host::Host;

/// What the module exports of the ABI. A filter may leave a callback out, and Envoy skips it.
pub(super) struct Exports {
    pub(super) initialize: Export<(), ()>,
    pub(super) context_create: Export<(u32, u32), ()>,
    pub(super) vm_start: Export<(u32, u32), u32>,
    pub(super) configure: Export<(u32, u32), u32>,
    pub(super) tick: Export<u32, ()>,
    pub(super) queue_ready: Export<(u32, u32), ()>,
    pub(super) call_response: Export<(u32, u32, u32, u32, u32), ()>,
    pub(super) request_headers: Export<(u32, u32, u32), u32>,
    pub(super) request_body: Export<(u32, u32, u32), u32>,
    pub(super) request_trailers: Export<(u32, u32), u32>,
    pub(super) response_headers: Export<(u32, u32, u32), u32>,
    pub(super) response_body: Export<(u32, u32, u32), u32>,
    pub(super) response_trailers: Export<(u32, u32), u32>,
    pub(super) log: Export<u32, ()>,
    pub(super) done: Export<u32, u32>,
    pub(super) delete: Export<u32, ()>,
}

/// A callback under its name.
pub(super) struct Export<P, R> {
    pub(super) name: &'static str,
    pub(super) function: Option<TypedFunc<P, R>>,
}

impl Exports {
    pub(super) fn new(instance: &Instance, mut store: impl AsContextMut<Data = Host>) -> Self {
        let store = &mut store;
        Self {
            initialize: find(instance, store, "_initialize"),
            context_create: find(instance, store, "proxy_on_context_create"),
            vm_start: find(instance, store, "proxy_on_vm_start"),
            configure: find(instance, store, "proxy_on_configure"),
            tick: find(instance, store, "proxy_on_tick"),
            queue_ready: find(instance, store, "proxy_on_queue_ready"),
            call_response: find(instance, store, "proxy_on_http_call_response"),
            request_headers: find(instance, store, "proxy_on_request_headers"),
            request_body: find(instance, store, "proxy_on_request_body"),
            request_trailers: find(instance, store, "proxy_on_request_trailers"),
            response_headers: find(instance, store, "proxy_on_response_headers"),
            response_body: find(instance, store, "proxy_on_response_body"),
            response_trailers: find(instance, store, "proxy_on_response_trailers"),
            log: find(instance, store, "proxy_on_log"),
            done: find(instance, store, "proxy_on_done"),
            delete: find(instance, store, "proxy_on_delete"),
        }
    }
}

impl<P, R> Clone for Export<P, R> {
    fn clone(&self) -> Self {
        Self { name: self.name, function: self.function.clone() }
    }
}

fn find<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut impl AsContextMut<Data = Host>,
    name: &'static str,
) -> Export<P, R> {
    Export { name, function: instance.get_typed_func(store, name).ok() }
}
