//! A bootstrap written for docker-compose runs here as well.

use narrows_harness::bootstrap::{Endpoints, Rewrite};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;

#[test]
fn a_committed_bootstrap_runs_here() -> anyhow::Result<()> {
    let directory = TempDir::new("committed")?;
    let file = directory.write("sidecar.yaml", SIDECAR)?;
    let stock = Echo::start("stock", EchoOptions::default())?;
    let managed = Echo::start("managed", EchoOptions::default())?;
    let endpoints =
        Endpoints::default().with("stock", 8080, stock.addr()).with("managed", 443, managed.addr());
    let rewrite = Rewrite::new(endpoints, directory.path());
    let error = format!("{:#}", rewrite.load(&file).unwrap_err());
    assert!(error.contains("sidecar.yaml: cluster canary names stock-canary:8080"), "{error}");

    let envoy = Envoy::start(rewrite.unreachable_is_fine().load(&file)?, EnvoyOptions::default())?;
    let address = envoy.listener("outbound")?;
    let get = |target: &str| http1::exchange(address, &Request::get("stock:8080", target));
    assert_eq!(get("/books")?.headers.text("x-app").as_deref(), Some("stock"));
    assert_eq!(get("/managed")?.headers.text("x-app").as_deref(), Some("managed"));
    let nobody = get("/canary")?;
    assert_eq!((nobody.status, nobody.text().as_str()), (503, "no healthy upstream"));
    Ok(())
}

const SIDECAR: &str = r#"
# As it would stand beside a docker-compose.yaml.
admin:
  address: { socket_address: { address: 0.0.0.0, port_value: 15000 } }
static_resources:
  listeners:
    - name: outbound
      address: { socket_address: { address: 0.0.0.0, port_value: 15001 } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: outbound
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: { prefix: /canary }
                          route: { cluster: canary }
                        - match: { prefix: /managed }
                          route: { cluster: managed }
                        - match: { prefix: / }
                          route: { cluster: stock }
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: stock
      type: STRICT_DNS
      dns_lookup_family: V4_ONLY
      dns_refresh_rate: 1s
      load_assignment:
        cluster_name: stock
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: stock, port_value: 8080 } } }
    - name: canary
      type: LOGICAL_DNS
      load_assignment:
        cluster_name: canary
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: stock-canary, port_value: 8080 } } }
    - name: managed
      cluster_type:
        name: envoy.clusters.dns
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster
      load_assignment:
        cluster_name: managed
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: managed, port_value: 443 } } }
"#;
