//! Those who call through TLS: workloads with the identity that the mesh gave them, and
//! a browser that has none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, limit_connections, listener, route_config, static_cluster,
};
use narrows_harness::certificates::Certificates;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::{Request, Response};

/// The name to which a sidecar opens TLS when it calls through the egress gateway.
const EGRESS: &str = "outbound_.443_._.istio-egressgateway.istio-system.svc.cluster.local";

/// One who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    name: String,
    /// The certificate, as `NAMESPACE.ACCOUNT`.
    certificate: Option<String>,
    server_name: String,
    to: SocketAddr,
    requests_per_connection: Option<u32>,
}

/// The sidecars of all callers: a listener in clear text for each, and TLS behind it. In
/// a cluster each is a process of its own; here one Envoy plays them all.
#[derive(Debug)]
pub struct Callers {
    sidecars: Envoy,
    authority: PathBuf,
}

// === impl Caller ===

impl Caller {
    /// A workload whose calls go through an egress gateway.
    pub fn workload(name: &str, certificate: &str, gateway: SocketAddr) -> Self {
        Self { certificate: Some(certificate.to_owned()), ..Self::outside(name, EGRESS, gateway) }
    }

    /// One without a certificate, who opens TLS to `server_name`.
    pub fn outside(name: &str, server_name: &str, to: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            certificate: None,
            server_name: server_name.to_owned(),
            to,
            requests_per_connection: None,
        }
    }

    /// Opens TLS to this name instead.
    #[must_use]
    pub fn to_server(self, server_name: &str) -> Self {
        Self { server_name: server_name.to_owned(), ..self }
    }

    /// A new connection after so many requests, so that all workers of the other side
    /// see some.
    #[must_use]
    pub fn requests_per_connection(self, requests: u32) -> Self {
        Self { requests_per_connection: Some(requests), ..self }
    }

    fn listener(&self) -> Value {
        let connect = json!({ "match": { "connect_matcher": {} }, "route": { "cluster": self.name } });
        let mut outbound = listener(&self.name, &[], &route_config(&[connect, cluster_route(&self.name)]));
        outbound["filter_chains"][0]["filters"][0]["typed_config"]["upgrade_configs"] =
            json!([{ "upgrade_type": "websocket" }, { "upgrade_type": "CONNECT" }]);
        outbound
    }

    fn cluster(&self, certificates: &Certificates) -> Value {
        let mut cluster = static_cluster(&self.name, self.to, false);
        let mut socket = certificates.tls("Upstream", self.certificate.as_deref());
        socket["typed_config"]["sni"] = json!(self.server_name);
        cluster["transport_socket"] = socket;
        if let Some(requests) = self.requests_per_connection {
            limit_connections(&mut cluster, requests);
        }
        cluster
    }
}

// === impl Callers ===

impl Callers {
    /// Starts the sidecars of these callers.
    pub fn start(certificates: &Certificates, callers: &[Caller]) -> anyhow::Result<Self> {
        let listeners: Vec<Value> = callers.iter().map(Caller::listener).collect();
        let clusters: Vec<Value> = callers.iter().map(|caller| caller.cluster(certificates)).collect();
        let sidecars = Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("callers"))?;
        Ok(Self { sidecars, authority: certificates.authority() })
    }

    /// The certificate of the authority whom they trust.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// Where a caller's own sidecar takes its calls, in clear text.
    pub fn address(&self, caller: &str) -> anyhow::Result<SocketAddr> {
        self.sidecars.listener(caller)
    }

    /// A connection of a caller.
    pub fn connect(&self, caller: &str) -> anyhow::Result<Connection> {
        Connection::connect(self.address(caller)?)
    }

    /// One request of a caller.
    pub fn ask(&self, caller: &str, request: &Request) -> anyhow::Result<Response> {
        self.connect(caller)?.exchange(request)
    }
}
