//! The filter is taken away and given back, under load; and the one kind of resource takes the other's place.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use narrows_harness::wait;

use super::books::{Books, EXTENSION, PLUGIN, users};
use crate::cluster::{Cluster, PATIENCE};

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

const COUNTER: &str = "narrows_split_requests_total";

/// A `TrafficExtension` with the policy of a `WasmPlugin` comes, and the plugin goes at once: no request is lost, and
/// nobody changes sides. The requests between the two are counted twice.
pub(super) fn replaced(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let (plugin, extension) = (cluster.example(PLUGIN)?, cluster.example(EXTENSION)?);
    let chosen = books.chosen(&plugin)?;
    let older = cluster.attach(&plugin)?;
    books.settle(&chosen)?;
    let (counted, calls) = (books.series(COUNTER)?, books.calls());
    let load = books.front_end().load(&users(), 8)?;
    let _newer = cluster.attach(&extension)?;
    older.detach()?;
    books.settle(&chosen)?;
    let seen = load.end()?;
    seen.none_lost()?;
    // The plugin may be on its way out still.
    wait_for_round(&books, users().len())?;
    let sent = usize::try_from(seen.requests)? + books.calls() - calls;
    let counted = books.series(COUNTER)? - counted;
    ensure!(counted >= sent, "{counted} of {sent} requests were counted");
    let twice = counted - sent;
    Ok(format!("{} requests, 0 failed; {twice} were counted twice", seen.requests))
}

/// Both at once: who stays with the baseline is counted by both. Whom the first sends to the canary has another host
/// when the second sees the request. Nobody changes sides.
pub(super) fn both(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let (plugin, extension) = (cluster.example(PLUGIN)?, cluster.example(EXTENSION)?);
    let chosen = books.chosen(&plugin)?;
    let (once, twice) = (users().len(), 2 * users().len() - chosen.len());
    let older = cluster.attach(&plugin)?;
    books.settle(&chosen)?;
    wait_for_round(&books, once)?;
    let _newer = cluster.attach(&extension)?;
    wait_for_round(&books, twice)?;
    books.settle(&chosen)?;
    older.detach()?;
    wait_for_round(&books, once)?;
    Ok(format!("{once} requests count {once} with one of them, {twice} with both"))
}

/// Waits until a request of every user counts so much.
fn wait_for_round(books: &Books<'_>, expected: usize) -> anyhow::Result<()> {
    let mut last = 0;
    wait::until("the filters to count", PATIENCE, || {
        let before = books.series(COUNTER)?;
        books.served_by_canary()?;
        last = books.series(COUNTER)? - before;
        Ok((last == expected).then_some(()))
    })
    .with_context(|| format!("a round of all users counts {last}, not {expected}"))
}
