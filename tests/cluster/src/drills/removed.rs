//! The filter is taken away and given back, under load; and the one kind of resource takes the other's place.

use std::collections::BTreeSet;

use super::books::{Books, EXTENSION, PLUGIN, users};
use crate::cluster::Cluster;

/// A filter is removed and added again: no request is lost, and the users are the same.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let mut attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let load = books.front_end().load(&users(), 8)?;
    attached.detach()?;
    books.settle(&BTreeSet::new())?;
    attached.change(&manifest)?;
    books.settle(&chosen)?;
    let seen = load.end()?;
    seen.none_lost()?;
    Ok(format!("{} requests, 0 failed", seen.requests))
}

/// A `TrafficExtension` with the policy of a `WasmPlugin` comes beside it, then the plugin goes.
pub(super) fn replaced(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let (plugin, extension) = (cluster.example(PLUGIN)?, cluster.example(EXTENSION)?);
    let chosen = books.chosen(&plugin)?;
    let older = cluster.attach(&plugin)?;
    books.settle(&chosen)?;
    let load = books.front_end().load(&users(), 8)?;
    let _newer = cluster.attach(&extension)?;
    books.settle(&chosen)?;
    older.detach()?;
    books.settle(&chosen)?;
    let seen = load.end()?;
    seen.none_lost()?;
    Ok(format!("{} requests, 0 failed", seen.requests))
}
