//! What the host remembers of one VM: its contexts, its ids, its account.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{Memory, StoreLimits, StoreLimitsBuilder, TypedFunc};

use super::abi::{BufferType, LogLevel, MapType, Status};
use super::callouts::{CallResponse, HttpCall};
use super::headers::Headers;
use super::metrics::MetricIds;
use super::options::{Plugin, VmOptions};
use super::properties::Properties;
use super::proxy::Proxy;
use super::stream::{Phase, Stream};
use super::trace::{HostCall, Work};

/// The data of a wasmtime store: all that host calls read and write.
pub(super) struct Host {
    /// Names the VM among those of its proxy.
    pub(super) serial: u64,
    pub(super) proxy: Proxy,
    pub(super) vm_configuration: Vec<u8>,
    pub(super) properties: Properties,
    pub(super) log_level: LogLevel,
    pub(super) trace: bool,
    pub(super) limits: StoreLimits,
    pub(super) memory: Option<Memory>,
    pub(super) malloc: Option<TypedFunc<u32, u32>>,
    pub(super) gate: Gate,
    /// The context on whose behalf host calls are made.
    pub(super) effective: u32,
    pub(super) roots: Vec<Root>,
    pub(super) streams: Vec<Stream>,
    pub(super) ids: MetricIds,
    /// Callouts without an answer yet.
    pub(super) pending: Vec<HttpCall>,
    pub(super) last_token: u32,
    /// The answer that is being delivered.
    pub(super) delivering: Option<CallResponse>,
    pub(super) work: Work,
    /// Of the host call that is running: how much it gave back, and what it is about.
    pub(super) returned: Option<u32>,
    about: Option<Box<str>>,
}

/// A root context: one plugin configuration.
pub(super) struct Root {
    pub(super) id: u32,
    pub(super) plugin: Plugin,
    pub(super) tick: Option<u32>,
    /// Whether the plugin configuration may be read now.
    pub(super) starting: bool,
    /// Whether it said that it is not done yet, and whether it has said so since.
    pub(super) leaving: bool,
    pub(super) done: bool,
}

/// Where the VM is, for the calls that Envoy forbids there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gate {
    Open,
    /// In `_initialize`.
    Initialize,
    /// Making room for bytes from the host.
    Allocate,
}

impl Gate {
    pub(super) fn allows(self, call: &str) -> bool {
        match self {
            Self::Open => true,
            Self::Initialize => call == "proxy_log",
            Self::Allocate => matches!(call, "proxy_log" | "proxy_get_current_time_nanoseconds"),
        }
    }
}

impl Host {
    pub(super) fn new(options: VmOptions) -> Self {
        static VMS: AtomicU64 = AtomicU64::new(0);
        Self {
            serial: VMS.fetch_add(1, Ordering::Relaxed),
            proxy: options.proxy,
            vm_configuration: options.vm_configuration,
            properties: options.properties,
            log_level: options.log_level,
            trace: options.trace,
            limits: StoreLimitsBuilder::new().memory_size(options.memory_limit).build(),
            memory: None,
            malloc: None,
            gate: Gate::Open,
            effective: 0,
            roots: Vec::new(),
            streams: Vec::new(),
            ids: MetricIds::default(),
            pending: Vec::new(),
            last_token: 0,
            delivering: None,
            work: Work::default(),
            returned: None,
            about: None,
        }
    }

    /// A host of nobody, where wasmtime wants a store.
    pub(super) fn empty() -> Self {
        Self::new(VmOptions::default())
    }

    /// Enters a finished host call into the account.
    pub(super) fn account(&mut self, name: &'static str, status: Status) {
        let (returned, about) = (self.returned.take(), self.about.take());
        self.work.calls.push(HostCall { name, status, returned, about });
    }

    pub(super) fn note(&mut self, about: &[u8]) {
        self.about = Some(String::from_utf8_lossy(about).replace('\0', ".").into());
    }

    /// The stream on whose behalf the filter runs; none in a root context.
    pub(super) fn stream(&mut self) -> Option<&mut Stream> {
        let id = self.effective;
        self.streams.iter_mut().find(|stream| stream.id == id)
    }

    /// The root context on whose behalf the filter runs, or that of its stream.
    pub(super) fn root(&mut self) -> Option<&mut Root> {
        let effective = self.effective;
        let id = self.stream().map_or(effective, |stream| stream.root);
        self.roots.iter_mut().find(|root| root.id == id)
    }

    pub(super) fn knows(&self, context: u32) -> bool {
        self.streams.iter().any(|stream| stream.id == context)
            || self.roots.iter().any(|root| root.id == context)
    }

    /// Headers to read. Outside their phase Envoy has none, which is a bad argument; in the log
    /// phase it has them all, so that one that never came is not found.
    pub(super) fn headers(&mut self, map: MapType) -> Result<&Headers, Status> {
        if let MapType::CallHeaders | MapType::CallTrailers = map {
            let response = self.delivering.as_ref().ok_or(Status::BadArgument)?;
            return Ok(if map == MapType::CallHeaders { &response.headers } else { &response.trailers });
        }
        let stream = self.stream().ok_or(Status::BadArgument)?;
        let missing = if stream.phase == Phase::Log { Status::NotFound } else { Status::BadArgument };
        stream.readable(map).ok_or(missing)
    }

    /// Headers to write, in their own phase only. Any write to the request's makes Envoy match the
    /// route again.
    pub(super) fn headers_mut(&mut self, map: MapType) -> Result<&mut Headers, Status> {
        let stream = self.stream().ok_or(Status::BadArgument)?;
        if !stream.is_open(map) {
            return Err(Status::BadArgument);
        }
        if map == MapType::RequestHeaders {
            stream.route_clears += 1;
        }
        stream.writable(map).ok_or(Status::BadArgument)
    }

    /// Bytes to read.
    pub(super) fn buffer(&mut self, buffer: BufferType) -> Result<&[u8], Status> {
        let bytes = match buffer {
            BufferType::VmConfiguration => Some(self.vm_configuration.as_slice()),
            BufferType::PluginConfiguration => {
                self.root().filter(|root| root.starting).map(|root| root.plugin.configuration.as_slice())
            }
            BufferType::CallBody => self.delivering.as_ref().map(|response| response.body.as_slice()),
            // Outside their callback bodies are empty, not missing.
            BufferType::RequestBody | BufferType::ResponseBody => {
                let body = self.stream().and_then(|stream| stream.body(buffer));
                Some(body.map(|body| body.as_slice()).unwrap_or_default())
            }
            BufferType::Other => None,
        };
        bytes.ok_or(Status::NotFound)
    }
}
