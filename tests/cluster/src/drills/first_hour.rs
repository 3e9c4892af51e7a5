//! `docs/first-hour.md`, as a reader types it.

use super::replayed;
use crate::cluster::Cluster;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    // What other drills have left is not there for a reader.
    cluster.kubectl.run("delete namespace bobs-books --ignore-not-found")?;
    let said = replayed(cluster, "docs/first-hour.md")?;
    cluster.kubectl.run("wait namespace/bobs-books --for=delete --timeout=60s")?;
    Ok(said)
}
