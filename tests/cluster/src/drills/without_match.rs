//! `egress-policy` without `match` runs in both directions: it judges what leaves, and no call that comes in.

use anyhow::ensure;
use narrows_harness::wait;

use super::books::{Books, users};
use crate::cluster::{Attached, Cluster, PATIENCE, REGISTRY};
use crate::traffic::{Ask, Caller};

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let outbound = Caller { workload: "deployment/stock-stable", ..books.front_end() };
    let call = || outbound.send(&[Ask::get("elsewhere.example.org", "/")]);
    let _attached = judge(cluster)?;
    wait::until("the filter to judge what leaves", PATIENCE, || {
        Ok(call().is_ok_and(|answers| answers.iter().all(|answer| answer.status == 403)).then_some(()))
    })?;
    let answers = books.call_as(&users())?;
    let served = answers.iter().filter(|answer| answer.version() == "stable").count();
    ensure!(served == answers.len(), "{served} of {} calls that come in are served", answers.len());
    Ok(format!("{served} of {} calls that come in are served, one that leaves is refused", answers.len()))
}

/// The policy at the stock application, with no `match`, as `narrows render` writes it.
fn judge(cluster: &Cluster) -> anyhow::Result<Attached> {
    let url = format!("oci://{REGISTRY}/narrows/egress-policy:0.1.0");
    let line = "render tests/cluster/manifests/judged-calls.yaml --as traffic-extension --istio 1.30 \
                --name judged-calls --namespace bobs-books --selector app=bobbys-helidon-stock-application --url";
    let mut arguments: Vec<&str> = line.split_whitespace().collect();
    arguments.push(&url);
    let manifest = cluster.narrows(&arguments)?;
    ensure!(!manifest.contains("match:"), "the filter runs in one direction:\n{manifest}");
    cluster.attach(&manifest)
}
