//! A mesh with a way out: sidecars with certificates, the egress gateway as committed,
//! and one application that stands for every service outside.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use narrows_testkit::bootstrap::{
    Endpoints, Rewrite, bootstrap, cluster_route, listener, route_config, static_cluster,
};
use narrows_testkit::echo::{Echo, EchoOptions};
use narrows_testkit::envoy::{Envoy, EnvoyOptions};
use narrows_testkit::http1;
use narrows_testkit::mesh::root;
use narrows_testkit::message::{Request, Response};
use narrows_testkit::temp::TempDir;
use serde_json::{Value, json};

pub(super) struct Site {
    pub(super) gateway: Envoy,
    sidecars: Envoy,
    pub(super) outside: Echo,
    _certificates: TempDir,
}

/// A caller: the listener of its sidecar, its certificate, the name it opens TLS to.
const CALLERS: [(&str, Option<&str>, &str); 4] = [
    (
        "checkout",
        Some("shop.checkout"),
        "outbound_.443_._.istio-egressgateway.istio-system.svc.cluster.local",
    ),
    ("web", Some("shop.web"), "outbound_.443_._.istio-egressgateway.istio-system.svc.cluster.local"),
    ("fronting", Some("shop.checkout"), "partners.adyen.com"),
    ("nobody", None, "api.stripe.com"),
];

impl Site {
    pub(super) fn start(workers: u32) -> anyhow::Result<Self> {
        let certificates = TempDir::new("certificates")?;
        let made = Command::new("sh")
            .arg(root().join("envoy-configs/certificates.sh"))
            .arg(certificates.path())
            .output()
            .context("certificates.sh needs sh and openssl")?;
        ensure!(made.status.success(), "certificates.sh: {}", String::from_utf8_lossy(&made.stderr));

        let outside = Echo::start("outside", EchoOptions::default())?;
        let mut endpoints = Endpoints::default();
        for host in ["api.stripe.com", "partners.adyen.com", "a.vendor.example", "git.example"] {
            endpoints = endpoints.with(host, 443, outside.addr());
        }
        let rewrite = Rewrite::new(endpoints, &root().join("dist")).path("certificates", certificates.path());
        let config = rewrite.load(&root().join("envoy-configs/egress-gateway.yaml"))?;
        let options = EnvoyOptions { concurrency: workers, ..EnvoyOptions::named("egress-gateway") };
        let gateway = Envoy::start(config, options)?;
        let sidecars =
            Envoy::start(sidecars(&gateway, certificates.path())?, EnvoyOptions::named("sidecars"))?;
        Ok(Self { gateway, sidecars, outside, _certificates: certificates })
    }

    /// A connection to the sidecar of a caller.
    pub(super) fn connect(&self, caller: &str) -> anyhow::Result<http1::Connection> {
        http1::Connection::connect(self.sidecars.listener(caller)?)
    }

    /// One request of a caller.
    pub(super) fn ask(&self, caller: &str, request: &Request) -> anyhow::Result<Response> {
        self.gateway.context(self.connect(caller)?.exchange(request))
    }

    /// How often a series of the gateway has counted.
    pub(super) fn count(&self, series: &str, labels: &[(&str, &str)]) -> anyhow::Result<u64> {
        let samples = self.gateway.prometheus()?;
        let of_series: Vec<_> = samples.into_iter().filter(|sample| sample.is(series, labels)).collect();
        // Whole numbers are written as such.
        of_series.iter().map(|sample| Ok(sample.value.to_string().parse::<u64>()?)).sum()
    }
}

fn sidecars(gateway: &Envoy, certificates: &Path) -> anyhow::Result<Value> {
    let mut listeners = Vec::new();
    let mut clusters = Vec::new();
    for (name, certificate, server_name) in CALLERS {
        let connect = json!({ "match": { "connect_matcher": {} }, "route": { "cluster": name } });
        let mut outbound = listener(name, &[], &route_config(&[connect, cluster_route(name)]));
        outbound["filter_chains"][0]["filters"][0]["typed_config"]["upgrade_configs"] =
            json!([{ "upgrade_type": "websocket" }, { "upgrade_type": "CONNECT" }]);
        listeners.push(outbound);

        let file = |extension: &str| {
            certificate.map(|name| json!({ "filename": certificates.join(format!("{name}.{extension}")) }))
        };
        let own: Vec<Value> = file("pem")
            .zip(file("key"))
            .map(|(chain, key)| json!({ "certificate_chain": chain, "private_key": key }))
            .into_iter()
            .collect();
        let mut cluster = static_cluster(name, gateway.listener("0.0.0.0_8443")?, false);
        // Each request has a connection of its own, so that every worker sees some.
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": { "max_requests_per_connection": 1 },
                "explicit_http_config": { "http_protocol_options": {} },
            },
        });
        cluster["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": server_name,
                "common_tls_context": {
                    "tls_certificates": own,
                    "validation_context": { "trusted_ca": { "filename": certificates.join("ca.pem") } },
                },
            },
        });
        clusters.push(cluster);
    }
    Ok(bootstrap(&listeners, &clusters))
}
