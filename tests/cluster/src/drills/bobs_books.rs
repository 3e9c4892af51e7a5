//! The example with the canary between two Services.

use anyhow::ensure;

use super::books::{Books, EXTENSION, NAMESPACE, PLUGIN};
use crate::cluster::Cluster;

pub(super) fn by_extension(cluster: &Cluster) -> anyhow::Result<String> {
    run(cluster, EXTENSION)
}

pub(super) fn by_plugin(cluster: &Cluster) -> anyhow::Result<String> {
    run(cluster, PLUGIN)
}

/// The users are those of the policy's own computation, also after every pod and istiod have restarted.
fn run(cluster: &Cluster, example: &str) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(example)?;
    let chosen = books.chosen(&manifest)?;
    ensure!(!chosen.is_empty(), "the policy sends nobody to the canary");
    let _attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    cluster.restart(NAMESPACE)?;
    cluster.restart("istio-system")?;
    let after = books.served_by_canary()?;
    ensure!(after == chosen, "after restarts the canary serves others: {after:?}, not {chosen:?}");
    Ok(format!("{} of 300 users, the same after pods, gateways and istiod have restarted", chosen.len()))
}
