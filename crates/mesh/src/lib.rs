//! The local mesh: the committed bootstraps on real Envoys, with applications.
//!
//! ```text
//!                     ┌─ hello-helidon v1
//!  client ─▶ ingress ─┼─ hello-helidon v2
//!            gateway  ├─ sidecar ─▶ bobbys-front-end ─▶ sidecar ─┬─▶ sidecar ─▶ stock (stable) ─▶ sidecar ─┐
//!                     │                                (split)  └─▶ sidecar ─▶ stock (canary) ─▶ sidecar ─┤
//!                     ├─ sidecar ─▶ robert-helidon                                                        │
//!                     └─ sidecar ─▶ bobs-bookstore ◀──────────────────────────────────────────────────────┘
//!
//!  workload ─▶ egress gateway ─┬─▶ the world outside
//!              (admin)         └─▶ system ingress (managed1) ─▶ its components
//!  workload ─▶ egress gateway ───▶ system ingress (admin) ────▶ its components
//!              (managed1)
//! ```

mod applications;
mod callers;
mod clusters;
pub mod demo;
mod egress;
pub mod serve;

use std::path::Path;

use anyhow::Context;

use narrows_harness::bootstrap::{Endpoints, Rewrite};
use narrows_harness::certificates::Certificates;
use narrows_harness::envoy::{Envoy, EnvoyOptions};

pub use applications::Applications;
pub use callers::{Caller, Callers};
pub use clusters::Clusters;
pub use egress::Egress;

/// The host of hello-helidon at the gateway.
pub const HELLO: &str = "hello-helidon-appconf.hello-helidon.1.2.3.4.nip.io";
/// The host of Bob's Books at the gateway.
pub const BOOKS: &str = "bobs-books.bobs-books.1.2.3.4.nip.io";
/// The name by which the front end calls the stock application.
pub const STOCK: &str = "bobbys-helidon-stock-application";

/// The whole mesh, running.
#[derive(Debug)]
pub struct Mesh {
    /// What clients call, and what that calls.
    pub applications: Applications,
    /// The way out of the admin cluster.
    pub egress: Egress,
    /// The two clusters, as they see each other.
    pub clusters: Clusters,
    /// Workloads that call, each with its identity.
    pub callers: Callers,
    _certificates: Certificates,
}

impl Mesh {
    /// Starts every process of the mesh and waits until each is ready. `root` is the
    /// workspace: `envoy-configs` and `dist` are read from it.
    pub fn start(root: &Path) -> anyhow::Result<Self> {
        let certificates = Certificates::make(root)?;
        let applications = Applications::start(root, &certificates)?;
        let clusters = Clusters::start(root, &certificates)?;
        let egress = Egress::start(root, &certificates, 1, clusters.managed_hosts()?)?;
        let callers = Callers::start(&certificates, &everybody(&applications, &egress, &clusters)?)?;
        Ok(Self { applications, egress, clusters, callers, _certificates: certificates })
    }

    /// The admin interface of every proxy with a filter in it, by name.
    pub fn proxies(&self) -> [&Envoy; 6] {
        [
            &self.applications.gateway,
            &self.applications.front_end_sidecar,
            &self.egress.gateway,
            &self.clusters.admin_ingress,
            &self.clusters.managed_ingress,
            &self.clusters.managed_egress,
        ]
    }
}

/// Who calls in the demo: a browser, and workloads of both clusters.
fn everybody(
    applications: &Applications,
    egress: &Egress,
    clusters: &Clusters,
) -> anyhow::Result<Vec<Caller>> {
    let https = applications.gateway.listener("0.0.0.0_8443")?;
    let (admin, managed) = (egress.address()?, clusters.managed_egress.listener("0.0.0.0_8443")?);
    Ok(vec![
        Caller::outside("browser", HELLO, https),
        Caller::workload("checkout", "shop.checkout", admin),
        Caller::workload("web", "shop.web", admin),
        Caller::workload("prometheus", "verrazzano-monitoring.prometheus-operator-kube-p-prometheus", admin),
        Caller::workload("argocd", "argocd.argocd-server", admin),
        Caller::workload("fluentd", "verrazzano-system.fluentd", managed),
        Caller::workload("authproxy", "verrazzano-system.impersonate-api-user", managed),
    ])
}

/// Starts a proxy from its committed bootstrap.
fn start(
    root: &Path,
    certificates: &Certificates,
    file: &str,
    options: EnvoyOptions,
    endpoints: Endpoints,
) -> anyhow::Result<Envoy> {
    let rewrite = certificates.in_place_of_committed(Rewrite::new(endpoints, &root.join("dist")));
    let name = options.name.clone();
    let bootstrap = rewrite.load(&root.join("envoy-configs").join(file))?;
    Envoy::start(bootstrap, options).with_context(|| format!("{name} did not start from {file}"))
}
