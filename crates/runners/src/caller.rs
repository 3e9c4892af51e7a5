//! Who calls, in Envoy's runner: a certificate of the mesh for each principal, shown by a
//! second Envoy that carries the caller's bytes as they are, and an address by the PROXY
//! protocol.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use narrows_cases::{Case, Direction, Protocol, Send, Source};
use narrows_harness::bootstrap::{bootstrap, static_cluster, tcp_listener};
use narrows_harness::certificates::Certificates;
use narrows_harness::client::{self, Client};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::message::{Request, Response};
use narrows_harness::{http1, root};

/// The filter's own listener in clear text.
pub(super) const PLAIN: &str = "http";
/// The same behind mutual TLS.
pub(super) const MUTUAL: &str = "mutual-tls";
/// The filter's own identity.
const SERVER: &str = "cases/filter";

/// The callers of some cases, before the filter's Envoy runs.
pub(super) struct Callers {
    certificates: Option<Certificates>,
    accounts: BTreeSet<String>,
    addresses: bool,
    directions: Vec<Direction>,
}

/// The callers, connected.
pub(super) struct Connected {
    plain: SocketAddr,
    sides: Vec<(Direction, SocketAddr)>,
    sidecars: Option<Envoy>,
}

impl Callers {
    /// Makes the certificates that the cases need.
    pub(super) fn of(cases: &[&Case]) -> anyhow::Result<Self> {
        let sources = || cases.iter().map(|case| &case.send.source);
        let accounts: BTreeSet<String> = sources().filter_map(Source::account).map(|a| a.name("/")).collect();
        let certificates = if accounts.is_empty() {
            None
        } else {
            let wanted: Vec<&str> = [SERVER].into_iter().chain(accounts.iter().map(|a| &**a)).collect();
            Some(Certificates::make_for(&root(), &wanted)?)
        };
        let addresses = sources().any(|source| source.address.is_some());
        let sides = [Direction::Inbound, Direction::Outbound];
        let is_asked = cases.iter().any(|case| case.send.direction.is_some());
        let directions = sides.into_iter().filter(|_| is_asked).collect();
        Ok(Self { certificates, accounts, addresses, directions })
    }

    /// The filter's listener as all callers reach it: in clear text, on either side of a workload, and by
    /// mutual TLS if any has a certificate.
    pub(super) fn listeners(&self, mut plain: Value) -> Vec<Value> {
        if self.addresses {
            plain["listener_filters"] = proxy_protocol();
        }
        let mut listeners = vec![plain.clone()];
        for direction in &self.directions {
            let mut side = plain.clone();
            side["name"] = json!(direction.word());
            side["traffic_direction"] = json!(direction.word());
            listeners.push(side);
        }
        if let Some(certificates) = &self.certificates {
            plain["name"] = json!(MUTUAL);
            let mut context = certificates.tls("Downstream", Some(SERVER));
            context["typed_config"]["require_client_certificate"] = json!(true);
            plain["filter_chains"][0]["transport_socket"] = context;
            listeners.push(plain);
        }
        listeners
    }

    /// Starts the callers' side of the connections.
    pub(super) fn connect(&self, filter: &Envoy) -> anyhow::Result<Connected> {
        let sidecars = self.certificates.as_ref().map(|certificates| {
            let target = filter.listener(MUTUAL)?;
            let sidecars = self.accounts.iter().map(|account| self.sidecar(account, certificates, target));
            let (listeners, clusters): (Vec<_>, Vec<_>) = sidecars.unzip();
            Envoy::start(bootstrap(&listeners, &clusters), EnvoyOptions::named("callers"))
        });
        let side = |direction: &Direction| anyhow::Ok((*direction, filter.listener(direction.word())?));
        let sides = self.directions.iter().map(side).collect::<anyhow::Result<_>>()?;
        Ok(Connected { plain: filter.listener(PLAIN)?, sides, sidecars: sidecars.transpose()? })
    }

    /// A caller's side: bytes in, mutual TLS out.
    fn sidecar(&self, account: &str, certificates: &Certificates, target: SocketAddr) -> (Value, Value) {
        let mut listener = tcp_listener(account, account);
        let mut cluster = static_cluster(account, target, false);
        let mut socket = certificates.tls("Upstream", Some(account));
        socket["typed_config"]["sni"] = json!("outbound_.80_._.filter.cases.svc.cluster.local");
        // Envoy reports no certificate of a resumed session as verified.
        socket["typed_config"]["max_session_keys"] = json!(0);
        if self.addresses {
            listener["listener_filters"] = proxy_protocol();
            socket = json!({
                "name": "envoy.transport_sockets.upstream_proxy_protocol",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3\
                              .ProxyProtocolUpstreamTransport",
                    "transport_socket": socket,
                },
            });
        }
        cluster["transport_socket"] = socket;
        (listener, cluster)
    }
}

impl Connected {
    /// One request on a connection of its own, from whoever sends it.
    pub(super) fn exchange(&self, send: &Send, request: &Request) -> anyhow::Result<Response> {
        let side = self.sides.iter().find(|(direction, _)| send.direction == Some(*direction));
        let at = match (send.source.account(), &self.sidecars) {
            (Some(account), Some(sidecars)) => sidecars.listener(&account.name("/"))?,
            _ => side.map_or(self.plain, |(_, at)| *at),
        };
        let protocol = match (&send.source.address, send.protocol) {
            (Some(address), _) => return from(address, at, request),
            (None, Protocol::Http1) => client::Protocol::Http1,
            (None, Protocol::Http2) => client::Protocol::Http2,
        };
        Client::connect(protocol, at)?.exchange(request)
    }
}

/// One request of a client that a load balancer vouches for.
fn from(address: &str, at: SocketAddr, request: &Request) -> anyhow::Result<Response> {
    let source: SocketAddr = address.parse()?;
    let (family, here) = if source.is_ipv4() { ("TCP4", "127.0.0.1") } else { ("TCP6", "::1") };
    let mut connection = http1::Connection::connect(at)?;
    let line = format!("PROXY {family} {} {here} {} {}\r\n", source.ip(), source.port(), at.port());
    connection.send_raw(line.as_bytes())?;
    connection.exchange(request)
}

fn proxy_protocol() -> Value {
    json!([{
        "name": "envoy.filters.listener.proxy_protocol",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
            "allow_requests_without_proxy_protocol": true,
        },
    }])
}
