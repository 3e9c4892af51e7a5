//! The filter as a host call sees it: its memory, and the one way to hand bytes back.

use wasmtime::{Caller, Memory, bail};

use super::abi::Status;
use super::host::{Gate, Host};

/// The caller of a host call.
pub(super) struct Guest<'a, 'b> {
    caller: &'a mut Caller<'b, Host>,
    memory: Memory,
}

/// Why a host call does not answer `Ok`: it refuses, or the VM is dead.
pub(super) enum Refusal {
    Status(Status),
    Trap(wasmtime::Error),
}

pub(super) type Answer<T = ()> = Result<T, Refusal>;

/// Runs one host call: through the gate, into the account, out as a status.
pub(super) fn call(
    caller: &mut Caller<'_, Host>,
    name: &'static str,
    body: impl FnOnce(&mut Guest<'_, '_>) -> Answer,
) -> wasmtime::Result<u32> {
    let host = caller.data_mut();
    if !host.gate.allows(name) {
        bail!("restricted_callback: Envoy does not allow {name} here ({:?})", host.gate);
    }
    let Some(memory) = host.memory else { bail!("the module exports no memory") };
    let status = match body(&mut Guest { caller, memory }) {
        Ok(()) => Status::Ok,
        Err(Refusal::Status(status)) => status,
        Err(Refusal::Trap(error)) => return Err(error),
    };
    caller.data_mut().account(name, status);
    Ok(status as u32)
}

impl Guest<'_, '_> {
    pub(super) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    /// A copy of bytes that the filter points at.
    pub(super) fn bytes(&self, at: u32, len: u32) -> Answer<Vec<u8>> {
        let memory = self.memory.data(&*self.caller);
        Ok(memory.get(span(at, len)).ok_or(Status::InvalidMemoryAccess)?.to_vec())
    }

    /// Text that the filter points at, with bytes that are not UTF-8 replaced.
    pub(super) fn text(&self, at: u32, len: u32) -> Answer<String> {
        let memory = self.memory.data(&*self.caller);
        let bytes = memory.get(span(at, len)).ok_or(Status::InvalidMemoryAccess)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The name, key or path that the call is about, for the trace.
    pub(super) fn about(&mut self, at: u32, len: u32) -> Answer<Vec<u8>> {
        let bytes = self.bytes(at, len)?;
        let host = self.host();
        if host.trace {
            host.note(&bytes);
        }
        Ok(bytes)
    }

    pub(super) fn put_u32(&mut self, at: u32, number: u32) -> Answer {
        self.put(at, &number.to_le_bytes())
    }

    pub(super) fn put_u64(&mut self, at: u32, number: u64) -> Answer {
        self.put(at, &number.to_le_bytes())
    }

    /// Hands bytes over: the filter makes room, and learns where and how much. Nothing is made for
    /// nothing, and the filter sees a null pointer, as in Envoy's `copyToPointerSize`.
    pub(super) fn give(&mut self, data: &[u8], pointer_at: u32, len_at: u32) -> Answer {
        let len = u32::try_from(data.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let pointer = if len == 0 { 0 } else { self.allocate(len)? };
        if len > 0 {
            self.put(pointer, data)?;
            self.host().returned = Some(len);
        }
        self.put_u32(pointer_at, pointer)?;
        self.put_u32(len_at, len)
    }

    fn allocate(&mut self, len: u32) -> Answer<u32> {
        let host = self.host();
        let malloc = host.malloc.clone().ok_or(Status::InvalidMemoryAccess)?;
        let gate = std::mem::replace(&mut host.gate, Gate::Allocate);
        let pointer = malloc.call(&mut *self.caller, len);
        self.host().gate = gate;
        match pointer? {
            0 => Err(Status::InvalidMemoryAccess.into()),
            pointer => Ok(pointer),
        }
    }

    fn put(&mut self, at: u32, data: &[u8]) -> Answer {
        let len = u32::try_from(data.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let memory = self.memory.data_mut(&mut *self.caller);
        memory.get_mut(span(at, len)).ok_or(Status::InvalidMemoryAccess)?.copy_from_slice(data);
        Ok(())
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<wasmtime::Error> for Refusal {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

fn span(at: u32, len: u32) -> std::ops::Range<usize> {
    at as usize..at as usize + len as usize
}
