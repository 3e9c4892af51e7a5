//! The weight is changed while requests flow.

use anyhow::ensure;

use super::books::{Books, EXTENSION, users, with_weight};
use crate::cluster::Cluster;

/// Up, and back.
const STEPS: [u32; 6] = [1, 5, 20, 50, 20, 0];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let mut attached = cluster.attach(&manifest)?;
    books.settle(&books.chosen(&manifest)?)?;
    let load = books.front_end().load(&users(), 8)?;
    for weight in STEPS {
        let changed = with_weight(&manifest, weight);
        ensure!(changed != manifest, "the manifest has no weight of 10");
        attached.change(&changed)?;
        books.settle(&books.chosen(&changed)?)?;
    }
    let seen = load.end()?;
    seen.none_lost()?;
    ensure!(seen.versions.len() == 2, "the load has not met both versions: {}", seen.report);
    Ok(format!("{} requests on 8 connections, 0 failed", seen.requests))
}
