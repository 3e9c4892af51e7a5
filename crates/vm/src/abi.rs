//! The numbers of the ABI, under the names the proxy-wasm specification gives them.

/// What a host call answers, so that a test can ask for Envoy's refusal by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// There is no such header, property, key, metric, queue or function.
    NotFound = 1,
    /// The call makes no sense here: most often a header map outside its phase.
    BadArgument = 2,
    /// The value exists and has no form in which a filter could read it.
    SerializationFailure = 3,
    /// The bytes handed over could not be read.
    ParseFailure = 4,
    /// A pointer leads out of the module's memory.
    InvalidMemoryAccess = 6,
    /// The queue is empty.
    Empty = 7,
    /// Somebody else wrote the key first.
    CasMismatch = 8,
    /// The host failed; for a callout, its cluster has no usable host.
    InternalFailure = 10,
    /// The stand-in does not do this.
    Unimplemented = 12,
}

/// How loud a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u32)]
pub enum LogLevel {
    /// For the person who writes the filter.
    Trace = 0,
    /// For the person who debugs a mesh.
    Debug = 1,
    /// Envoy's default.
    Info = 2,
    /// Something an operator should know.
    Warn = 3,
    /// Something an operator should do.
    Error = 4,
    /// What the SDK's panic hook uses.
    Critical = 5,
}

/// The three kinds of series that a filter can define.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u32)]
pub enum MetricKind {
    /// Only ever grows.
    Counter = 0,
    /// Goes up and down.
    Gauge = 1,
    /// Takes samples.
    Histogram = 2,
}

/// Which headers a call means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MapType {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcMetadata,
    CallHeaders,
    CallTrailers,
}

/// Which bytes a call means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BufferType {
    RequestBody,
    ResponseBody,
    CallBody,
    VmConfiguration,
    PluginConfiguration,
    /// Network data, gRPC messages, foreign call data: an HTTP filter never has them.
    Other,
}

impl LogLevel {
    pub(super) fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }
}

impl MetricKind {
    pub(super) fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Counter,
            1 => Self::Gauge,
            2 => Self::Histogram,
            _ => return None,
        })
    }
}

impl MapType {
    pub(super) fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::RequestHeaders,
            1 => Self::RequestTrailers,
            2 => Self::ResponseHeaders,
            3 => Self::ResponseTrailers,
            4 | 5 => Self::GrpcMetadata,
            6 => Self::CallHeaders,
            7 => Self::CallTrailers,
            _ => return None,
        })
    }
}

impl BufferType {
    pub(super) fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::RequestBody,
            1 => Self::ResponseBody,
            4 => Self::CallBody,
            6 => Self::VmConfiguration,
            7 => Self::PluginConfiguration,
            2 | 3 | 5 | 8 => Self::Other,
            _ => return None,
        })
    }
}

/// Bits of `response.flags` (`envoy/stream_info/stream_info.h`, `CoreResponseFlag`).
pub(super) const NO_HEALTHY_UPSTREAM: u64 = 1 << 1;
pub(super) const NO_ROUTE_FOUND: u64 = 1 << 8;
pub(super) const DOWNSTREAM_PROTOCOL_ERROR: u64 = 1 << 18;
pub(super) const NO_CLUSTER_FOUND: u64 = 1 << 24;
