//! Log, time, ticks, contexts and foreign functions.

use wasmtime::Linker;

use crate::abi::{LogLevel, Status};
use crate::host::Host;
use crate::trace::LogLine;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_log", (guest, level: u32, text: u32, len: u32) => {
            let level = LogLevel::new(level).ok_or(Status::BadArgument)?;
            let text = guest.text(text, len)?;
            let host = guest.host();
            if level >= host.log_level {
                host.work.logs.push(LogLine { level, text });
            }
            Ok(())
        }
    }
    import! {
        linker, "proxy_get_log_level", (guest, out: u32) => {
            let level = guest.host().log_level;
            guest.put_u32(out, level as u32)
        }
    }
    import! {
        linker, "proxy_get_current_time_nanoseconds", (guest, out: u32) => {
            let nanos = guest.host().proxy.clock.nanos();
            guest.put_u64(out, nanos)
        }
    }
    import! {
        linker, "proxy_set_tick_period_milliseconds", (guest, millis: u32) => {
            let root = guest.host().root().ok_or(Status::BadArgument)?;
            root.tick = (millis > 0).then_some(millis);
            Ok(())
        }
    }
    contexts(linker)
}

fn contexts(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    import! {
        linker, "proxy_set_effective_context", (guest, context: u32) => {
            let host = guest.host();
            if !host.knows(context) {
                return Err(Status::BadArgument.into());
            }
            host.effective = context;
            Ok(())
        }
    }
    import! {
        linker, "proxy_done", (guest) => {
            let root = guest.host().root().filter(|root| root.leaving).ok_or(Status::NotFound)?;
            root.done = true;
            Ok(())
        }
    }
    import! {
        linker, "proxy_get_status", (guest, code: u32, text: u32, len: u32) => {
            // The status of the last gRPC call, of which there are none.
            guest.put_u32(code, 0)?;
            guest.give(&[], text, len)
        }
    }
    import! {
        linker, "proxy_call_foreign_function", (
            guest, name: u32, name_len: u32, _arguments: u32, _arguments_len: u32, out: u32,
            out_len: u32
        ) => {
            let name = guest.about(name, name_len)?;
            if name != b"clear_route_cache" {
                return Err(Status::NotFound.into());
            }
            if let Some(stream) = guest.host().stream() {
                stream.route_clears += 1;
            }
            guest.give(&[], out, out_len)
        }
    }
    Ok(())
}
