//! Filters on one Envoy before one application.

use std::net::SocketAddr;

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, static_cluster};
use narrows_harness::client::{Client, Protocol};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::temp::TempDir;
use serde_json::Value;

use crate::{configured, entry};

/// One Envoy with filters before one application.
pub struct Bench {
    /// The proxy.
    pub envoy: Envoy,
    /// The application behind it, in the cluster `echo`.
    pub echo: Echo,
    /// Where to send requests.
    pub at: SocketAddr,
    /// Where policies are pushed, if they are discovered.
    pub ecds: Option<Ecds>,
    _directory: Option<TempDir>,
}

/// A bench that is not started yet.
#[derive(Clone, Debug)]
pub struct Plan {
    filters: Vec<Value>,
    manager: Vec<(String, Value)>,
    bootstrap: Vec<(String, Value)>,
    routes: Vec<Value>,
    upstream_http2: bool,
    options: EnvoyOptions,
}

// === impl Bench ===

impl Bench {
    /// Filters in this order, each with its policy in the bootstrap and under a strict VM, before one
    /// route to the application.
    pub fn of(chain: &[(&str, &str)]) -> Plan {
        Self::with(chain.iter().map(|(filter, policy)| entry(filter, policy)).collect())
    }

    /// The same with filters as they are written in a listener.
    pub fn with(filters: Vec<Value>) -> Plan {
        let name = filters.first().and_then(|filter| filter["name"].as_str()).unwrap_or("bench").to_owned();
        Plan {
            options: EnvoyOptions::named(&name),
            filters,
            manager: Vec::new(),
            bootstrap: Vec::new(),
            routes: vec![cluster_route("echo")],
            upstream_http2: false,
        }
    }

    /// One filter, with the policy in the bootstrap.
    pub fn fixed(filter: &str, policy: &str) -> anyhow::Result<Self> {
        Self::of(&[(filter, policy)]).start()
    }

    /// One filter, with the policy discovered, as Istio delivers it.
    pub fn discovered(filter: &str, policy: &str, vm: Option<&str>) -> anyhow::Result<Self> {
        let directory = TempDir::new("narrows-ecds")?;
        let ecds = Ecds::new(directory.path(), filter)?;
        ecds.push(&configured(filter, policy, vm))?;
        let bench = Self::with(vec![ecds.filter_entry(&[WASM])]).named(filter).start()?;
        Ok(Self { ecds: Some(ecds), _directory: Some(directory), ..bench })
    }

    /// Pushes another policy; returns whether Envoy took it.
    ///
    /// # Panics
    /// If the policy is not discovered.
    pub fn push(&self, filter: &str, policy: &str, vm: Option<&str>) -> anyhow::Result<bool> {
        let ecds = self.ecds.as_ref().expect("a bench with discovery");
        ecds.push_to(&self.envoy, &configured(filter, policy, vm))
    }

    /// A connection to it.
    pub fn client(&self, protocol: Protocol) -> anyhow::Result<Client> {
        Client::connect(protocol, self.at)
    }
}

// === impl Plan ===

impl Plan {
    /// A name for the proxy's log.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.options.name);
        self
    }

    /// Sets a field of the connection manager.
    #[must_use]
    pub fn hcm(mut self, field: &str, value: Value) -> Self {
        self.manager.push((field.to_owned(), value));
        self
    }

    /// Sets a field of the bootstrap, such as `stats_config`.
    #[must_use]
    pub fn bootstrap(mut self, field: &str, value: Value) -> Self {
        self.bootstrap.push((field.to_owned(), value));
        self
    }

    /// Other routes.
    #[must_use]
    pub fn routes(mut self, routes: &[Value]) -> Self {
        self.routes = routes.to_vec();
        self
    }

    /// The application is spoken to in HTTP/2: the way on which trailers arrive.
    #[must_use]
    pub fn upstream_http2(mut self) -> Self {
        self.upstream_http2 = true;
        self
    }

    /// As many workers.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.options.concurrency = workers;
        self
    }

    /// Starts the application and the proxy.
    pub fn start(self) -> anyhow::Result<Bench> {
        let echo = Echo::start("echo", EchoOptions::default())?;
        let mut listener = listener("main", &self.filters, &route_config(&self.routes));
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        for (field, value) in self.manager {
            manager[field] = value;
        }
        let mut config = bootstrap(&[listener], &[static_cluster("echo", echo.addr(), self.upstream_http2)]);
        for (field, value) in self.bootstrap {
            config[field] = value;
        }
        let envoy = Envoy::start(config, self.options)?;
        Ok(Bench { at: envoy.listener("main")?, envoy, echo, ecds: None, _directory: None })
    }
}
