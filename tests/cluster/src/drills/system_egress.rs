//! The example at the egress gateway: a rule names who may call which host.

use anyhow::ensure;
use narrows_harness::wait;

use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Answer, Ask, Caller};

/// More than a sidecar has connections to the gateway.
const ROUNDS: u32 = 5;
const NAMESPACE: &str = "argocd";
/// Who calls which host, and the status of the answer.
const CALLS: [(&str, &str, u16); 4] = [
    ("argocd-server", "github.com", 200),
    ("argocd-server", "evil.example.org", 403),
    ("somebody", "github.com", 403),
    ("somebody", "evil.example.org", 403),
];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    cluster.deploy(NAMESPACE, &cluster.manifest("system-egress.yaml")?)?;
    cluster.ready("outside")?;
    let world =
        cluster.kubectl.run("get service world --namespace outside --output jsonpath={.spec.clusterIP}")?;
    let routes = cluster.manifest("egress-routes.yaml")?.replace("WORLD", world.trim());
    let _routes = cluster.attach(&routes)?;
    // Every call arrives, until the filter is there: the refusals below are its own.
    for (who, host, _) in CALLS {
        settle(cluster, who, host, 200)?;
    }
    let _filter = cluster.attach(&cluster.example("system-egress/istio/trafficextension-1.30.yaml")?)?;
    // A connection that a sidecar has opened before keeps the filters that it began with, for one request
    // more: so once is not enough.
    let mut rounds = 0;
    wait::until("the filter to decide on every connection", PATIENCE, || {
        rounds = if round(cluster).is_ok() { rounds + 1 } else { 0 };
        Ok((rounds == ROUNDS).then_some(()))
    })?;
    round(cluster)?;
    Ok(String::new())
}

/// All calls, each with its answer.
fn round(cluster: &Cluster) -> anyhow::Result<()> {
    for (who, host, expected) in CALLS {
        let answer = call(cluster, who, host)?;
        ensure!(answer.status == expected, "{who} to {host}: {} {}", answer.status, answer.body);
        ensure!(expected != 200 || answer.field("app") == "world", "{who} to {host}: {}", answer.body);
    }
    Ok(())
}

fn settle(cluster: &Cluster, who: &str, host: &str, status: u16) -> anyhow::Result<()> {
    wait::until(&format!("{status} for {who} to {host}"), PATIENCE, || {
        Ok(call(cluster, who, host).is_ok_and(|answer| answer.status == status).then_some(()))
    })
}

/// The host is found by its name in the request: no DNS here knows it.
fn call(cluster: &Cluster, who: &str, host: &str) -> anyhow::Result<Answer> {
    let workload = format!("deployment/{who}");
    let connect = "world.outside.svc.cluster.local:80";
    let caller = Caller { kubectl: &cluster.kubectl, namespace: NAMESPACE, workload: &workload, connect };
    let mut answers = caller.send(&[Ask::get(host, "/")])?;
    answers.pop().ok_or_else(|| anyhow::anyhow!("no answer"))
}
