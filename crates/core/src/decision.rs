//! What a filter decided, as data: a host applies it, `simulate` prints it.

use std::borrow::Cow;

use crate::edit::Edit;

/// A decision on one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Headers that the client must not have sent: to be removed first.
    pub strip: Vec<&'a [u8]>,
    /// Edits of the request, in order.
    pub request: Vec<Edit<'a>>,
    /// Headers that say already what would have been written: ours, as if it had been.
    pub kept: Vec<&'a str>,
    /// Edits of the response, in order; the explain record is the last.
    pub response: Vec<Edit<'a>>,
    /// An answer in place of the upstream's.
    pub reply: Option<Reply<'a>>,
    /// Filter state to publish, without the `wasm.` that Envoy puts before it.
    pub state: Vec<(&'a str, Cow<'a, [u8]>)>,
    /// Series to count one request in.
    pub count: Vec<usize>,
    /// A destination that no rule names, to be remembered.
    pub unlisted: Option<Unlisted<'a>>,
}

/// A destination that no rule of a policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted<'a> {
    /// The host in its one form.
    pub host: Box<[u8]>,
    /// The method.
    pub method: &'a [u8],
}

/// An answer that a filter gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The status, 200 to 599. For a gRPC request Envoy turns it into a gRPC status.
    pub status: u16,
    /// The gRPC status to answer a gRPC request with, if the policy names one.
    pub grpc_status: Option<u8>,
    /// Headers of the answer.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// The body, perhaps empty.
    pub body: Cow<'a, [u8]>,
}

/// What became of a request, read in Envoy's log phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served<'a> {
    /// The response code; 0 if there was no response.
    pub code: u16,
    /// Envoy's response flags, a bit vector.
    pub flags: u64,
    /// The cluster that the router chose; empty if there was none.
    pub cluster: &'a [u8],
    /// Milliseconds from the first byte received to the last byte sent.
    pub duration: u64,
    /// Milliseconds since the epoch, to tell when a guard may try again.
    pub now: u64,
    /// Whether an upstream answered; read only where [`Policy::needs_upstream`].
    ///
    /// [`Policy::needs_upstream`]: crate::Policy::needs_upstream
    pub by_upstream: bool,
    /// What stood before the request was rewritten; read only where
    /// [`Policy::needs_before`].
    ///
    /// [`Policy::needs_before`]: crate::Policy::needs_before
    pub before: Option<Before<'a>>,
}

/// What stood before a filter rewrote a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before<'a> {
    /// The cluster that Envoy's route led to; empty if there was no route, or none to a
    /// cluster that exists.
    pub cluster: &'a [u8],
    /// Whether a filter has removed headers of the client's since Envoy matched that route:
    /// they may have led there. Read only where [`Policy::suspects`].
    ///
    /// [`Policy::suspects`]: crate::Policy::suspects
    pub is_forged: bool,
    /// Whether an earlier filter's rule may have rewritten the request since. Read only where
    /// [`Policy::suspects`].
    ///
    /// [`Policy::suspects`]: crate::Policy::suspects
    pub is_rewritten: bool,
}

/// What was missing for a request to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A healthy host in the cluster.
    Host,
    /// The cluster that the route names.
    Cluster,
    /// A route.
    Route,
}

/// Response flags of Envoy: no healthy host, no route, no cluster.
const UH: u64 = 1 << 1;
const NR: u64 = 1 << 8;
const NC: u64 = 1 << 24;
/// Where Istio sends what no route of the mesh takes.
pub(crate) const NOWHERE: [&[u8]; 3] =
    [b"PassthroughCluster", b"BlackHoleCluster", b"AllowAnyDynamicDNSCluster"];

impl Served<'_> {
    /// What was missing of what the request asked for. Where Istio sends nothing to
    /// hosts that it does not know, it answers 502 from a route without a cluster.
    pub fn missing(&self) -> Option<Missing> {
        let is_nowhere = NOWHERE.contains(&self.cluster) || (self.cluster.is_empty() && self.code == 502);
        match self.flags {
            _ if is_nowhere => Some(Missing::Route),
            flags if flags & NR != 0 => Some(Missing::Route),
            flags if flags & NC != 0 => Some(Missing::Cluster),
            flags if flags & UH != 0 => Some(Missing::Host),
            _ => None,
        }
    }

    /// The class of the code as a label: `2xx`, or `none` without a response.
    pub fn code_class(&self) -> usize {
        match self.code {
            100..=599 => usize::from(self.code / 100),
            _ => 0,
        }
    }
}

/// The labels of [`Served::code_class`], by its number.
pub const CODE_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
