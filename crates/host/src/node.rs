//! The proxy's node, and what the proxy knows about a connection and its route.

use std::cell::OnceCell;

use narrows_core::StreamInfo;
use narrows_core::egress::RouteAsk;

use crate::read;

/// The property with the caller's name, from the certificate that it presented.
const PRESENTED: [&str; 2] = ["connection", "uri_san_peer_certificate"];
/// Whether Envoy verified that certificate on this connection; Envoy has it from 1.39 on.
const VALID: [&str; 2] = ["connection", "peer_certificate_valid"];
/// The name that the waypoint's own listener took from the certificate of the tunnel. The connection
/// that arrives here is one inside the proxy, without a certificate.
const PEER: [&str; 2] = ["filter_state", "io.istio.peer_principal"];
/// Envoy's values for listeners of inbound and of outbound calls.
const INBOUND: u64 = 1;
const OUTBOUND: u64 = 2;

/// What this proxy is. It is read only once, because it does not change.
#[derive(Debug, Default)]
pub struct Node(OnceCell<Kind>);

/// Istio names a node `KIND~ADDRESS~NAME.NAMESPACE~DOMAIN`.
#[derive(Debug)]
enum Kind {
    Sidecar(Workload),
    Waypoint,
    Gateway,
    /// Not one of Istio's nodes.
    Other,
}

/// The workload that a proxy runs beside.
#[derive(Debug)]
struct Workload {
    namespace: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
}

/// On which side of a workload a request passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Side {
    /// There is no workload, or the listener does not say.
    #[default]
    Neither,
    /// It comes in.
    In,
    /// It goes out.
    Out,
}

/// What was read for one request.
pub(crate) struct Observed {
    server_name: Option<Vec<u8>>,
    cluster: Option<Vec<u8>>,
}

/// What the policy asked about its route, besides the cluster.
pub(crate) struct RouteSaid {
    pub(crate) virtual_host: Option<Vec<u8>>,
    pub(crate) is_only: bool,
}

impl Node {
    /// Reads the properties that differ from request to request; only in the request phase.
    pub(crate) fn read(&self) -> Observed {
        // Only beside the caller does the cluster of the route show that a call stays in the cluster;
        // at a gateway the call has left already.
        let cluster = self.workload().map(|_| read::property(&["xds", "cluster_name"]).unwrap_or_default());
        Observed { server_name: read::property(&["connection", "requested_server_name"]), cluster }
    }

    /// Whether a request comes in to a workload. The listeners of a waypoint are called inbound too,
    /// but the requests that it serves go on. The listeners of a gateway are never inbound.
    pub(crate) fn is_inbound(&self) -> bool {
        self.side() == Side::In
    }

    /// On which side of the workload beside this proxy a request passes.
    pub(crate) fn side(&self) -> Side {
        match self.kind() {
            Kind::Waypoint | Kind::Gateway => Side::Neither,
            // One root context may serve both directions, so this is read for every request.
            Kind::Sidecar(_) | Kind::Other => match read::number(&["xds", "listener_direction"]) {
                INBOUND => Side::In,
                OUTBOUND => Side::Out,
                _ => Side::Neither,
            },
        }
    }

    /// The caller's name.
    pub(crate) fn principal(&self) -> Option<Vec<u8>> {
        read::property(if self.is_waypoint() { &PEER } else { &PRESENTED })
    }

    /// Whether the caller's certificate was verified on this connection. At a waypoint it was verified
    /// before the name came into the filter state.
    pub(crate) fn is_verified(&self) -> bool {
        self.is_waypoint() || read::property(&VALID).as_deref() == Some(&[1])
    }

    /// A property of the connection. At a waypoint, the caller's name comes from the filter state.
    pub(crate) fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        match path {
            path if *path == PRESENTED => self.principal(),
            path if *path == VALID => self.is_verified().then(|| vec![1]),
            _ => read::property(path),
        }
    }

    fn is_waypoint(&self) -> bool {
        matches!(self.kind(), Kind::Waypoint)
    }

    /// None at a gateway, which does not run beside a caller.
    fn workload(&self) -> Option<&Workload> {
        match self.kind() {
            Kind::Sidecar(workload) => Some(workload),
            _ => None,
        }
    }

    fn kind(&self) -> &Kind {
        let read = || {
            let id = read::property(&["xds", "node", "id"]).unwrap_or_default();
            let metadata = |name| read::property(&["xds", "node", "metadata", name]);
            match id.split(|b| *b == b'~').next() {
                Some(b"sidecar") if id.len() > 7 => Kind::Sidecar(Workload {
                    namespace: metadata("NAMESPACE"),
                    name: metadata("WORKLOAD_NAME"),
                }),
                Some(b"waypoint") if id.len() > 8 => Kind::Waypoint,
                Some(b"router") if id.len() > 6 => Kind::Gateway,
                _ => Kind::Other,
            }
        };
        self.0.get_or_init(read)
    }
}

impl Observed {
    pub(crate) fn view<'a>(&'a self, node: &'a Node) -> StreamInfo<'a> {
        let workload = node.workload();
        StreamInfo {
            server_name: self.server_name.as_deref(),
            namespace: workload.and_then(|workload| workload.namespace.as_deref()),
            workload: workload.and_then(|workload| workload.name.as_deref()),
            cluster: self.cluster.as_deref(),
            ..StreamInfo::default()
        }
    }
}

impl RouteSaid {
    /// Only in the request phase.
    pub(crate) fn read(ask: RouteAsk) -> Self {
        let virtual_host = || read::property(&["xds", "virtual_host_name"]);
        Self {
            virtual_host: ask.virtual_host.then(virtual_host).flatten(),
            is_only: ask.is_only && is_only_route(),
        }
    }
}

/// Whether the route is the only one of its virtual host. Istiod writes such a route for a host that
/// has no `VirtualService`, and for all hosts that it does not know.
fn is_only_route() -> bool {
    match read::property(&["xds", "route_name"]).as_deref() {
        Some(b"allow_any") => true,
        // A `VirtualService` may give a route this name too, but its routes have their origin in their
        // metadata.
        Some(b"default") => {
            let of = ["xds", "route_metadata", "filter_metadata", "istio", "config"];
            read::property(&of).is_none()
        }
        _ => false,
    }
}
