//! The applications: hello-helidon and Bob's Books, from the ingress gateway inwards.

use std::net::SocketAddr;
use std::path::Path;

use super::{Certificates, STOCK, start};
use narrows_harness::bootstrap::Endpoints;
use narrows_harness::echo::{Call, Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};

/// Running applications; what was started last ends first.
#[derive(Debug)]
pub struct Applications {
    /// The ingress gateway, with `header-router`, `traffic-lanes` and `metric-tags`.
    pub gateway: Envoy,
    /// The sidecar of the front end, with `traffic-lanes` in both directions, and `canary-split` and
    /// `metric-tags` outbound.
    pub front_end_sidecar: Envoy,
    /// The canary of the stock application.
    pub canary: Echo,
    _sidecars: Vec<Envoy>,
    _apps: Vec<Echo>,
    ingress: SocketAddr,
    outbound: SocketAddr,
}

impl Applications {
    /// Starts every process, from the applications outwards, and waits until each is
    /// ready.
    pub fn start(root: &Path, certificates: &Certificates) -> anyhow::Result<Self> {
        let hello = [version("hello-helidon", "v1")?, version("hello-helidon", "v2")?];
        let [stable, canary] = [version(STOCK, "stable")?, version(STOCK, "canary")?];
        let [robert, bookstore] = [version("robert-helidon", "v1")?, version("bobs-bookstore", "v1")?];
        let sidecar = |file: &str, name: &str, endpoints: Endpoints| {
            start(root, certificates, file, EnvoyOptions::named(name), endpoints)
        };
        let own = |port, app: &Echo| Endpoints::default().with("127.0.0.1", port, app.addr());

        let robert_sidecar = sidecar("sidecar-robert-helidon.yaml", "robert-helidon", own(8080, &robert))?;
        let bookstore_sidecar =
            sidecar("sidecar-bobs-bookstore.yaml", "bobs-bookstore", own(8001, &bookstore))?;
        let bookstore_at = bookstore_sidecar.listener("virtualInbound")?;
        let mut stock_sidecars = Vec::new();
        for (name, app) in ["stock-stable", "stock-canary"].iter().zip([&stable, &canary]) {
            let endpoints = own(8080, app).with("bobs-bookstore", 15006, bookstore_at);
            let started = sidecar("sidecar-bobbys-helidon-stock-application.yaml", name, endpoints)?;
            app.calls(Call::order_of_bobs_books(&started.listener("0.0.0.0_8001")?.to_string()));
            stock_sidecars.push(started);
        }

        let front_end = Echo::start(
            "bobbys-front-end",
            EchoOptions {
                // The real one forwards tracing headers alone: an application must
                // forward the key of a split for a user to stay on one side.
                forward: vec!["x-user-id".to_owned(), "x-canary".to_owned()],
                ..EchoOptions::default()
            },
        )?;
        let mut endpoints = own(8001, &front_end);
        for (host, stock) in [STOCK.to_owned(), format!("{STOCK}-canary")].iter().zip(&stock_sidecars) {
            endpoints = endpoints.with(host, 15006, stock.listener("virtualInbound")?);
        }
        let front_end_sidecar = sidecar("sidecar-bobbys-front-end.yaml", "bobbys-front-end", endpoints)?;
        let outbound = front_end_sidecar.listener("0.0.0.0_8080")?;
        front_end.calls(Call::stock_of_bobs_books(&outbound.to_string()));

        let endpoints = Endpoints::default()
            .with("hello-helidon-v1", 8080, hello[0].addr())
            .with("hello-helidon-v2", 8080, hello[1].addr())
            .with("robert-helidon", 15006, robert_sidecar.listener("virtualInbound")?)
            .with("bobs-bookstore", 15006, bookstore_at)
            .with("bobbys-front-end", 15006, front_end_sidecar.listener("virtualInbound")?);
        let gateway = sidecar("ingress-gateway.yaml", "ingress-gateway", endpoints)?;
        let mut apps = vec![front_end, robert, bookstore, stable];
        apps.extend(hello);
        stock_sidecars.extend([robert_sidecar, bookstore_sidecar]);
        Ok(Self {
            ingress: gateway.listener("0.0.0.0_8080")?,
            outbound,
            gateway,
            front_end_sidecar,
            canary,
            _sidecars: stock_sidecars,
            _apps: apps,
        })
    }

    /// Where clients enter in clear text.
    pub fn ingress(&self) -> SocketAddr {
        self.ingress
    }

    /// Where the front end calls other services.
    pub fn outbound(&self) -> SocketAddr {
        self.outbound
    }
}

fn version(name: &str, version: &str) -> anyhow::Result<Echo> {
    Echo::start(name, EchoOptions { version: version.to_owned(), ..EchoOptions::default() })
}
