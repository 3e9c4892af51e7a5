//! The example with two versions behind the ingress gateway, called over HTTPS from outside.

use std::process::Command;

use anyhow::ensure;
use narrows_harness::certificates::Certificates;
use narrows_harness::wait;

use crate::cluster::{Cluster, PATIENCE};
use crate::forward::Forward;
use crate::run;

const NAMESPACE: &str = "hello-helidon";
const HOST: &str = "hello-helidon-appconf.hello-helidon.1.2.3.4.nip.io";
const SECRET: &str = "hello-helidon-hello-helidon-appconf-cert-secret";

/// What is sent, and which version shall answer.
const CALLS: [(&str, &str); 5] = [
    ("accept: */*", "v1"),
    ("x-user-group: beta", "v2"),
    ("cookie: beta=1", "v2"),
    ("cookie: beta=2", "v1"),
    // Only the filter may say so.
    ("x-narrows-route: hello-v2", "v1"),
];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    cluster.deploy(NAMESPACE, &cluster.manifest("hello-helidon.yaml")?)?;
    let certificates = Certificates::make_for(&cluster.root, &[&format!("{SECRET}={HOST}")])?;
    let _secret = cluster.attach(&secret(cluster, &certificates)?)?;
    let _gateway = cluster.attach(&cluster.example("hello-helidon/istio/gateway.yaml")?)?;
    let _routes = cluster.attach(&cluster.example("hello-helidon/istio/virtualservice.yaml")?)?;
    let _router = cluster.attach(&cluster.example("hello-helidon/istio/wasmplugin-1.27.yaml")?)?;
    let call = |header: &str| call(cluster, &certificates, header);
    wait::until("the beta users to be served by v2", PATIENCE, || {
        Ok(call("x-user-group: beta").is_ok_and(|body| version(&body) == "v2").then_some(()))
    })?;
    for (header, expected) in CALLS {
        let body = call(header)?;
        ensure!(
            version(&body) == expected,
            "`{header}` is answered by {:?}, not {expected}: {body}",
            version(&body)
        );
    }
    Ok(String::new())
}

/// The certificate, where the gateway looks for it.
fn secret(cluster: &Cluster, certificates: &Certificates) -> anyhow::Result<String> {
    let file = |end: &str| certificates.path().join(format!("{SECRET}.{end}")).display().to_string();
    cluster.kubectl.run(&format!(
        "create secret tls {SECRET} --namespace istio-system --cert={} --key={} --dry-run=client --output=yaml",
        file("pem"),
        file("key")
    ))
}

/// One request over TLS to the gateway's port for HTTPS.
fn call(cluster: &Cluster, certificates: &Certificates, header: &str) -> anyhow::Result<String> {
    let gateway = Forward::open(&cluster.kubectl, "istio-system", "deployment/istio-ingressgateway", 8443)?;
    let port = gateway.address().port();
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--max-time",
        "10",
        "--noproxy",
        "*",
        "--header",
        header,
    ]);
    curl.args(["--resolve", &format!("{HOST}:{port}:127.0.0.1"), "--cacert"]).arg(certificates.authority());
    curl.arg(format!("https://{HOST}:{port}/greet"));
    run::output(&mut curl)
}

fn version(body: &str) -> String {
    let report: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    report["version"].as_str().unwrap_or_default().to_owned()
}
