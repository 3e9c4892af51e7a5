//! The host calls: one file for each thing a filter can reach.

use wasmtime::Linker;

use super::host::Host;

/// Adds one host call to the linker: its name is said once, and its body ends in an `Answer`.
macro_rules! import {
    ($linker:ident, $name:literal, ($guest:ident $(, $arg:ident: $ty:ty)*) => $body:block) => {
        $linker.func_wrap("env", $name, |mut caller: wasmtime::Caller<'_, Host> $(, $arg: $ty)*| {
            crate::guest::call(&mut caller, $name, |$guest| $body)
        })?;
    };
}

mod buffers;
mod callouts;
mod maps;
mod metrics;
mod properties;
mod shared;
mod stream;
mod system;

/// Offers everything that Envoy offers to a module of ABI 0.2.1, and nothing else.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    system::link(linker)?;
    maps::link(linker)?;
    buffers::link(linker)?;
    properties::link(linker)?;
    stream::link(linker)?;
    shared::link(linker)?;
    metrics::link(linker)?;
    callouts::link(linker)
}
