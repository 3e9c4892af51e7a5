//! Envoy's ABI, proxy-wasm 0.2.1: the calls that a filter makes and the callbacks that it exports.
//!
//! It is declared here and not taken from the SDK, for three reasons. The SDK exports every callback,
//! and Envoy calls what is exported, whether the filter does anything there or not. Its exports cannot
//! be taken off, so no other crate can have its own. And it panics on a status that it does not know,
//! and on text that is not UTF-8; a panic is an outage.
//!
//! This folder is the only place with `unsafe`. A call needs it because it hands over addresses, and a
//! callback because its name must be the only one in the module. Whoever uses this folder sees slices.

mod calls;
mod exports;
mod form;
pub(crate) mod map;
mod memory;
#[cfg(any(target_family = "wasm", test))]
mod pool;

pub(crate) use calls::*;
pub use memory::allocate;

#[cfg(target_family = "wasm")]
#[global_allocator]
static POOL: pool::Pool = pool::Pool::new();

/// Runs what a request needs: its memory comes from the pool.
pub(crate) fn serve<T>(request: impl FnOnce() -> T) -> T {
    #[cfg(target_family = "wasm")]
    return POOL.serve(request);
    #[cfg(not(target_family = "wasm"))]
    request()
}

/// Runs what outlives the request in which it is made: its memory does not come from the pool.
pub(crate) fn lasting<T>(made: impl FnOnce() -> T) -> T {
    #[cfg(target_family = "wasm")]
    return POOL.leave(made);
    #[cfg(not(target_family = "wasm"))]
    made()
}

/// Which headers or trailers a call is about.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum MapType {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ResponseHeaders = 2,
    CallHeaders = 6,
}

/// Which bytes a call is about.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum BufferType {
    VmConfiguration = 6,
    PluginConfiguration = 7,
}

/// What a series is.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum MetricType {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// How loud a line of the log is.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum LogLevel {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
    Critical = 5,
}
