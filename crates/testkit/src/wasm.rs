//! Envoy's side of the proxy-wasm 0.2.1 ABI, stood in for by wasmtime.
//!
//! A filter is judged by what its `.wasm` does, and Envoy is a slow and noisy judge: it starts in
//! a fifth of a second, answers from two threads and cannot count instructions. This module runs
//! the same bytes in-process: every host call is counted, every callback has a price in fuel that
//! is the same on every machine, the clock is a number, and a hundred thousand exchanges take
//! seconds. Where Envoy refuses a call (a header outside its phase, a property that is not there
//! yet, a metric id it never gave out), the stand-in refuses it with the same status.
//!
//! It is a stand-in for Envoy's *documented and measured* behaviour, not a second proxy: it has no
//! routes, no clusters and no network. What the upstream answered, and which cluster Envoy would
//! have chosen, the test says. The suites on a real Envoy are what keep it honest.
//!
//! ```no_run
//! use narrows_testkit::wasm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
//!
//! let module = Module::load("dist/narrows_header_router.wasm")?;
//! let mut vm = Vm::new(&module, VmOptions::default())?;
//! let plugin = vm.configure(Plugin::new("narrows.router", r#"{"rules": []}"#));
//! let outcome = vm.request(plugin.root, Exchange::get("shop.example.com", "/cart"), |_| Response::ok());
//! assert_eq!(outcome.work.trap, None);
//! # anyhow::Ok(())
//! ```

mod abi;
mod attributes;
mod callouts;
mod drive;
mod exchange;
mod exports;
mod guest;
mod hazard;
mod headers;
mod host;
mod imports;
mod inline;
mod metrics;
mod module;
mod outcome;
mod properties;
mod proxy;
mod reply;
mod shared;
mod state;
mod stream;
mod vm;
mod work;

pub use abi::{LogLevel, MetricKind, Status};
pub use callouts::{CallResponse, HttpCall};
pub use exchange::{Exchange, Response};
pub use headers::Headers;
pub use metrics::{Histogram, Metrics};
pub use module::Module;
pub use outcome::{LocalReply, Outcome};
pub use properties::{Properties, Value};
pub use proxy::{Clock, Cluster, Clusters, Proxy};
pub use shared::SharedData;
pub use state::FilterState;
pub use vm::{Configured, Plugin, Removed, Vm, VmOptions};
pub use work::{Callback, Change, HostCall, LogLine, MetricChange, Work};
