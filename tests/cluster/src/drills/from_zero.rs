//! A workload that was scaled to nothing comes back.

use anyhow::ensure;

use super::books::{Books, EXTENSION, NAMESPACE};
use crate::cluster::Cluster;

/// Once the pod is ready the policy is in force, from the first request on: the proxy listens no sooner.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let _attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let scale = |replicas: u8| {
        cluster
            .kubectl
            .run(&format!("scale deployment front-end --namespace {NAMESPACE} --replicas={replicas}"))?;
        cluster.ready(NAMESPACE)
    };
    scale(0)?;
    scale(1)?;
    let first = books.served_by_canary()?;
    ensure!(first == chosen, "the first requests of a new pod go elsewhere: {first:?}, not {chosen:?}");
    Ok(String::new())
}
