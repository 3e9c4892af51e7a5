//! What became of a request, read in Envoy's log phase.

/// What became of a request, read in Envoy's log phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served<'a> {
    /// The response code; 0 if there was no response.
    pub code: u16,
    /// Envoy's response flags, a bit vector. Read only where [`Guarded::asks_flags`].
    ///
    /// [`Guarded::asks_flags`]: super::guarded::Guarded::asks_flags
    pub flags: u64,
    /// The cluster that the router chose; empty if there was none. Read only where [`Wants::cluster`].
    ///
    /// [`Wants::cluster`]: super::guarded::Wants::cluster
    pub cluster: &'a [u8],
    /// Milliseconds from the decision to the last byte sent. Two looks at the clock cost less than Envoy's
    /// own `request.duration`.
    pub duration: u64,
    /// Milliseconds since the epoch, to tell when a guard may try again.
    pub now: u64,
    /// Whether an upstream answered; read only where [`Wants::upstream`].
    ///
    /// [`Wants::upstream`]: super::guarded::Wants::upstream
    pub by_upstream: bool,
    /// The gRPC status of the response, in its trailers or headers. Read only where
    /// [`Watched::asks_status`](super::rollback::Watched::asks_status).
    pub grpc: Option<u64>,
    /// How often Envoy tried an upstream. Read only where
    /// [`Watched::asks_attempts`](super::rollback::Watched::asks_attempts).
    pub attempts: u64,
    /// Where the request was routed before it was rewritten; read only where [`Wants::before`].
    ///
    /// [`Wants::before`]: super::guarded::Wants::before
    pub before: Option<Before<'a>>,
    /// Whether it was served at the address that the caller dialled, and not at one of the cluster's
    /// own. Read only where [`Guarded::asks_address`].
    ///
    /// [`Guarded::asks_address`]: super::guarded::Guarded::asks_address
    pub at_dialled: Option<bool>,
}

/// Where a request was routed before a filter rewrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before<'a> {
    /// The cluster that Envoy's route led to; empty if there was no route, or none to a
    /// cluster that exists.
    pub cluster: &'a [u8],
    /// Whether a filter has removed headers of the client's since Envoy matched that route: the headers
    /// may have led there. Read only where [`Guarded::is_suspect`].
    ///
    /// [`Guarded::is_suspect`]: super::guarded::Guarded::is_suspect
    pub is_forged: bool,
    /// Whether an earlier filter's rule may have rewritten the request since. Read only where
    /// [`Guarded::is_suspect`].
    ///
    /// [`Guarded::is_suspect`]: super::guarded::Guarded::is_suspect
    pub is_rewritten: bool,
    /// The virtual host that took the rewritten request. Read only where [`Guarded::is_suspect`].
    ///
    /// [`Guarded::is_suspect`]: super::guarded::Guarded::is_suspect
    pub taken_by: &'a [u8],
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
/// The clusters to which Istio sends a request that no route of the mesh takes.
pub(crate) const NOWHERE: [&[u8]; 3] =
    [b"PassthroughCluster", b"BlackHoleCluster", b"AllowAnyDynamicDNSCluster"];

impl Served<'_> {
    /// What the request asked for and was missing. Where Istio sends nothing to hosts that it does not
    /// know, it answers 502 from a route without a cluster.
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

    /// The class of the code, by its index among the labels: `2xx`, or `none` without a response.
    pub fn code_class(&self) -> usize {
        match self.code {
            100..=599 => usize::from(self.code / 100),
            _ => 0,
        }
    }
}
