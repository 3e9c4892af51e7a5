//! The commands of `docs/operations.md` that need a cluster, with the example's filter attached.

use super::books::{Books, EXTENSION};
use super::replayed;
use crate::cluster::Cluster;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let _attached = cluster.attach(&manifest)?;
    // Whose series have labels, and whose pods are new.
    cluster.restart(super::books::NAMESPACE)?;
    books.settle(&books.chosen(&manifest)?)?;
    replayed(cluster, "docs/operations.md")
}
