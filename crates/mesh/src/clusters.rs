//! Two clusters as they see each other: the system ingress of each, and the egress
//! gateway of the managed one. (The admin cluster's is [`Egress`](super::Egress).)

use std::path::Path;

use super::{Certificates, start};
use narrows_harness::bootstrap::Endpoints;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};

/// The admin cluster's components behind its ingress: name and port.
const ADMIN: [(&str, u16); 3] = [("verrazzano-authproxy", 8775), ("keycloak-http", 80), ("rancher", 80)];
/// The managed cluster's.
const MANAGED: [(&str, u16); 2] = [("managed-authproxy", 8775), ("managed-rancher-proxy", 80)];

/// The system side of an admin and a managed cluster.
#[derive(Debug)]
pub struct Clusters {
    /// The system ingress of the admin cluster, with `header-router` and `metric-tags`.
    pub admin_ingress: Envoy,
    /// The system ingress of the managed cluster, with `header-router`.
    pub managed_ingress: Envoy,
    /// The egress gateway of the managed cluster, with `egress-policy`.
    pub managed_egress: Envoy,
    _components: Vec<Echo>,
}

impl Clusters {
    /// Starts the components, then the proxies before them.
    pub fn start(root: &Path, certificates: &Certificates) -> anyhow::Result<Self> {
        let mut components = Vec::new();
        let mut ingress = |file: &str, name: &str, behind: &[(&str, u16)]| {
            let mut endpoints = Endpoints::default();
            for (component, port) in behind {
                let echo = Echo::start(component, EchoOptions::default())?;
                endpoints = endpoints.with(component, *port, echo.addr());
                components.push(echo);
            }
            start(root, certificates, file, EnvoyOptions::named(name), endpoints)
        };
        let admin_ingress = ingress("system-ingress.yaml", "system-ingress", &ADMIN)?;
        let managed_ingress = ingress("managed-ingress.yaml", "managed-ingress", &MANAGED)?;
        let to_admin =
            Endpoints::default().with("system-ingress", 8443, admin_ingress.listener("0.0.0.0_8443")?);
        let options = EnvoyOptions::named("managed-egress-gateway");
        let managed_egress = start(root, certificates, "managed-egress-gateway.yaml", options, to_admin)?;
        Ok(Self { admin_ingress, managed_ingress, managed_egress, _components: components })
    }

    /// Where the admin cluster's egress gateway finds the managed cluster.
    pub fn managed_hosts(&self) -> anyhow::Result<Endpoints> {
        let ingress = self.managed_ingress.listener("0.0.0.0_8443")?;
        Ok(Endpoints::default().with("managed-ingress", 8443, ingress))
    }
}
