//! A mesh with a way out: sidecars with certificates, the egress gateway as committed,
//! and one application that stands for every service outside.

use narrows_harness::bootstrap::Endpoints;
use narrows_harness::certificates::Certificates;
use narrows_harness::echo::Echo;
use narrows_harness::envoy::Envoy;
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use narrows_harness::root;
use narrows_mesh::{Caller, Callers, Egress};

pub(super) struct Site {
    pub(super) gateway: Envoy,
    pub(super) outside: Echo,
    callers: Callers,
    _certificates: Certificates,
}

impl Site {
    pub(super) fn start(workers: u32) -> anyhow::Result<Self> {
        let certificates = Certificates::make(&root())?;
        // There is no managed cluster here.
        let managed = Endpoints::default().without("managed-ingress", 8443);
        let egress = Egress::start(&root(), &certificates, workers, managed)?;
        let at = egress.address()?;
        let callers = [
            Caller::workload("checkout", "shop.checkout", at),
            Caller::workload("web", "shop.web", at),
            Caller::workload("fronting", "shop.checkout", at).to_server("partners.adyen.com"),
            Caller::outside("nobody", "api.stripe.com", at),
        ];
        // Each request has a connection of its own, so that every worker sees some.
        let callers = callers.map(|caller| caller.requests_per_connection(1));
        let callers = Callers::start(&certificates, &callers)?;
        Ok(Self { gateway: egress.gateway, outside: egress.outside, callers, _certificates: certificates })
    }

    /// A connection to the sidecar of a caller.
    pub(super) fn connect(&self, caller: &str) -> anyhow::Result<http1::Connection> {
        self.callers.connect(caller)
    }

    /// One request of a caller.
    pub(super) fn ask(&self, caller: &str, request: &Request) -> anyhow::Result<Response> {
        self.gateway.context(self.callers.ask(caller, request))
    }

    /// How often a series of the gateway has counted.
    pub(super) fn count(&self, series: &str, labels: &[(&str, &str)]) -> anyhow::Result<u64> {
        let samples = self.gateway.prometheus()?;
        let of_series: Vec<_> = samples.into_iter().filter(|sample| sample.is(series, labels)).collect();
        // Whole numbers are written as such.
        of_series.iter().map(|sample| Ok(sample.value.to_string().parse::<u64>()?)).sum()
    }
}
