//! The local mesh: the committed bootstraps on real Envoys, with applications.
//!
//! ```text
//!                     ┌─ hello-helidon v1
//!  client ─▶ ingress ─┼─ hello-helidon v2
//!            gateway  └─ sidecar ─▶ bobbys-front-end ─▶ sidecar ─┬─▶ sidecar ─▶ stock (stable)
//!                                                       (split)  └─▶ sidecar ─▶ stock (canary)
//! ```

pub mod demo;
pub mod serve;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::bootstrap::{Endpoints, Rewrite};
use crate::echo::{Call, Echo, EchoOptions};
use crate::envoy::{Envoy, EnvoyOptions};

/// The host of hello-helidon at the gateway.
pub const HELLO: &str = "hello-helidon-appconf.hello-helidon.1.2.3.4.nip.io";
/// The host of Bob's Books at the gateway.
pub const BOOKS: &str = "bobs-books.bobs-books.1.2.3.4.nip.io";
/// The name by which the front end calls the stock application.
pub const STOCK: &str = "bobbys-helidon-stock-application";

/// A running mesh; what was started last ends first.
#[derive(Debug)]
pub struct Mesh {
    /// The ingress gateway, with `header-router`.
    pub gateway: Envoy,
    /// The sidecar of the front end, with `canary-split` outbound.
    pub front_end_sidecar: Envoy,
    /// The sidecars of the stock application, stable and canary.
    pub stock_sidecars: [Envoy; 2],
    _apps: Vec<Echo>,
    ingress: SocketAddr,
    outbound: SocketAddr,
}

impl Mesh {
    /// Starts every process of the mesh, from the applications outwards, and waits
    /// until each is ready. `root` is the workspace: `envoy-configs` and `dist` are
    /// read from it.
    pub fn start(root: &Path) -> anyhow::Result<Self> {
        let hello_v1 = Echo::start("hello-helidon", version("v1"))?;
        let hello_v2 = Echo::start("hello-helidon", version("v2"))?;
        let stable = Echo::start(STOCK, version("stable"))?;
        let canary = Echo::start(STOCK, version("canary"))?;

        let stock = |name: &str, app: &Echo| {
            let endpoints = Endpoints::default().with("127.0.0.1", 8080, app.addr());
            start(root, "sidecar-bobbys-helidon-stock-application.yaml", name, endpoints)
        };
        let stock_sidecars = [stock("stock-stable", &stable)?, stock("stock-canary", &canary)?];

        // The sidecar leads to the application and the application to the sidecar: one
        // of them must know the other's address before it listens.
        let front_end_at = free_address()?;
        let endpoints = Endpoints::default()
            .with("127.0.0.1", 8001, front_end_at)
            .with(STOCK, 15006, stock_sidecars[0].listener("virtualInbound")?)
            .with(&format!("{STOCK}-canary"), 15006, stock_sidecars[1].listener("virtualInbound")?);
        let front_end_sidecar = start(root, "sidecar-bobbys-front-end.yaml", "bobbys-front-end", endpoints)?;
        let outbound = front_end_sidecar.listener("0.0.0.0_8080")?;
        let front_end = Echo::start(
            "bobbys-front-end",
            EchoOptions {
                listen: front_end_at,
                calls: vec![Call::stock_of_bobs_books(&outbound.to_string())],
                // The real one forwards tracing headers alone: an application must
                // forward the key of a split for a user to stay on one side.
                forward: vec!["x-user-id".to_owned(), "x-canary".to_owned()],
                ..EchoOptions::default()
            },
        )?;

        let endpoints = Endpoints::default()
            .with("hello-helidon-v1", 8080, hello_v1.addr())
            .with("hello-helidon-v2", 8080, hello_v2.addr())
            .with("bobbys-front-end", 15006, front_end_sidecar.listener("virtualInbound")?);
        let gateway = start(root, "ingress-gateway.yaml", "ingress-gateway", endpoints)?;
        Ok(Self {
            ingress: gateway.listener("0.0.0.0_8080")?,
            outbound,
            gateway,
            front_end_sidecar,
            stock_sidecars,
            _apps: vec![front_end, hello_v1, hello_v2, stable, canary],
        })
    }

    /// Where clients enter.
    pub fn ingress(&self) -> SocketAddr {
        self.ingress
    }

    /// Where the front end calls other services.
    pub fn outbound(&self) -> SocketAddr {
        self.outbound
    }
}

/// The workspace that this was built in, unless `NARROWS_ROOT` names another.
pub fn root() -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("NARROWS_ROOT").map_or(built_in, PathBuf::from)
}

fn start(root: &Path, file: &str, name: &str, endpoints: Endpoints) -> anyhow::Result<Envoy> {
    let path = root.join("envoy-configs").join(file);
    let dist = root.join("dist");
    let bootstrap = Rewrite::new(endpoints, &dist).load(&path)?;
    Envoy::start(bootstrap, EnvoyOptions::named(name))
        .with_context(|| format!("{name} did not start from {file}"))
}

fn version(version: &str) -> EchoOptions {
    EchoOptions { version: version.to_owned(), ..EchoOptions::default() }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
    Ok(listener.local_addr()?)
}
