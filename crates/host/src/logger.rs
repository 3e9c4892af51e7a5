//! Lines in Envoy's log, from [`log`]'s macros and from a panic.

use log::{LevelFilter, Log, Metadata, Record};

use crate::abi::{self, LogLevel};

struct Logger;

/// Shows lines in Envoy's log, and the place of a panic, if there ever is one. A module calls it first.
pub fn log_panics() {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(LevelFilter::Info);
        std::panic::set_hook(Box::new(|panic| abi::log(LogLevel::Critical, &panic.to_string())));
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            abi::log(level(record.level()), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn level(level: log::Level) -> LogLevel {
    match level {
        log::Level::Trace => LogLevel::Trace,
        log::Level::Debug => LogLevel::Debug,
        log::Level::Info => LogLevel::Info,
        log::Level::Warn => LogLevel::Warn,
        log::Level::Error => LogLevel::Error,
    }
}
