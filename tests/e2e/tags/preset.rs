//! The preset of the reference page: each of its Envoy targets has its label.

use narrows_harness::bootstrap::read_yaml;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::root;
use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Properties, Response, Vm, VmOptions};
use serde_json::json;

use super::{answering, send, series, settle, stats_tags};

/// The page's targets with Envoy metrics, by the names of their pods. Istiod has no sidecar
/// that carries HTTP; that of `MySQL` carries TCP.
const TARGETS: [(&str, &str); 18] = [
    ("argocd-server", "argocd"),
    ("argocd-repo-server", "argocd"),
    ("fluentd", "fluentd"),
    ("vmi-system-grafana", "grafana"),
    ("istio-egressgateway", "istio-egress-gateway"),
    ("istio-ingressgateway", "istio-ingress-gateway"),
    ("keycloak", "keycloak"),
    ("ingress-controller-ingress-nginx-controller", "nginx-controller"),
    ("ingress-controller-ingress-nginx-defaultbackend", "nginx-default-backend"),
    ("vmi-system-es-master", "opensearch"),
    ("vmi-system-es-data-0", "opensearch"),
    ("vmi-system-es-ingest", "opensearch"),
    ("vmi-system-kibana", "opensearch-dashboards"),
    ("prometheus-prometheus-operator-kube-p-prometheus", "prometheus"),
    ("verrazzano-console", "console"),
    ("verrazzano-api", "api"),
    ("weblogic-operator", "weblogic-operator"),
    ("bobbys-front-end", "application"),
];

fn policy() -> String {
    read_yaml(&root().join("examples/prometheus-tags/policy.yaml")).unwrap().to_string()
}

#[test]
fn every_target_has_its_component() {
    let module = Module::load(module("metric-tags")).unwrap();
    for (workload, component) in TARGETS {
        let properties = Properties::new()
            .with(&["xds", "node", "metadata", "WORKLOAD_NAME"], workload)
            .with(&["xds", "node", "metadata", "LABELS", "app.oam.dev/component"], "front-end");
        let mut vm = Vm::new(&module, VmOptions { properties, ..VmOptions::default() }).unwrap();
        let root = vm.configure(Plugin::new("narrows.tags", policy())).root;
        for path in ["/x", "/metrics", "/stats/prometheus?usedonly", "/federate"] {
            vm.request(root, Exchange::get("any", path), |_| Response::ok());
        }
        let name = format!(
            "cluster=.=admin;.;component=.={component};.;application=.=front-end;.;operation=.=any;.;code=.=2xx;.;connection=.=none;.;component_requests_total"
        );
        let metrics = &vm.proxy().metrics;
        assert_eq!(metrics.value(&name), Some(1), "{workload}: {:?}", metrics.snapshot());
    }
}

#[test]
fn a_real_proxy_knows_its_workload() -> anyhow::Result<()> {
    let policy = policy();
    let mut config = answering(&policy, &stats_tags(&policy));
    config["node"] = json!({ "id": "sidecar", "cluster": "narrows", "metadata": {
        "WORKLOAD_NAME": "vmi-system-es-ingest", "LABELS": { "app.oam.dev/component": "search" } } });
    let envoy = Envoy::start(config, EnvoyOptions::named("preset"))?;
    let mut client = Connection::connect(envoy.listener("main")?)?;
    send(&mut client, "/_bulk", &[])?;
    send(&mut client, "/metrics", &[])?;
    settle(&envoy, "component_requests_total", 1.0)?;
    assert!(series(&envoy, "component_requests_total")?.contains(
        &"component_requests_total{application=\"search\",cluster=\"admin\",code=\"2xx\",component=\"opensearch\",connection=\"none\",operation=\"/_bulk\"} 1"
            .to_owned()
    ));
    Ok(())
}
