//! The way out: the egress gateway of the admin cluster, and the world outside.

use std::net::SocketAddr;
use std::path::Path;

use super::{Certificates, start};
use narrows_harness::bootstrap::Endpoints;
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};

/// The hosts of others that the gateway leads to.
const OUTSIDE: [&str; 4] = ["api.stripe.com", "partners.adyen.com", "a.vendor.example", "git.example"];

/// The egress gateway with what is behind it.
#[derive(Debug)]
pub struct Egress {
    /// The gateway, with `egress-policy`.
    pub gateway: Envoy,
    /// One application that stands for every service of others.
    pub outside: Echo,
}

impl Egress {
    /// Starts the gateway with so many `workers`. `managed` says where the hosts of the
    /// managed cluster are.
    pub fn start(
        root: &Path,
        certificates: &Certificates,
        workers: u32,
        managed: Endpoints,
    ) -> anyhow::Result<Self> {
        let outside = Echo::start("outside", EchoOptions::default())?;
        let endpoints = OUTSIDE.iter().fold(managed, |all, host| all.with(host, 443, outside.addr()));
        let options = EnvoyOptions { concurrency: workers, ..EnvoyOptions::named("egress-gateway") };
        let gateway = start(root, certificates, "egress-gateway.yaml", options, endpoints)?;
        Ok(Self { gateway, outside })
    }

    /// Where workloads with a certificate enter.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.gateway.listener("0.0.0.0_8443")
    }
}
