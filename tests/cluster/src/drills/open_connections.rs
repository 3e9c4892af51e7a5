//! A filter is attached and detached while callers hold connections open.

use anyhow::ensure;

use super::books::{Books, EXTENSION, STOCK};
use crate::cluster::Cluster;
use crate::traffic::{Ask, Held, Seen};

/// As many as are held open.
const CONNECTIONS: usize = 20;

/// A connection that is open keeps the filters that it began with for one request more, and is closed with the
/// answer: what comes next meets the filters that are attached now.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    // By this header whoever asks is served by the canary, if a filter is there.
    let ask = Ask::get(STOCK, "/books").header("x-canary: always");

    let (mut held, before) = books.front_end().hold(&ask, CONNECTIONS)?;
    all_by(&before, "stable")?;
    let attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let unfiltered = once_more(&mut held, "stable")?;

    let (mut held, during) = books.front_end().hold(&ask, CONNECTIONS)?;
    all_by(&during, "canary")?;
    attached.detach()?;
    books.settle(&std::collections::BTreeSet::new())?;
    let filtered = once_more(&mut held, "canary")?;
    Ok(format!(
        "of {CONNECTIONS} open connections {unfiltered} pass once more without the filter that was attached, \
         {filtered} once more with the one that was detached, none twice"
    ))
}

fn all_by(seen: &Seen, version: &str) -> anyhow::Result<()> {
    ensure!(
        seen.answers_of(version) == CONNECTIONS as u64,
        "not all are served by {version}: {}",
        seen.report
    );
    Ok(())
}

/// How many of the held connections pass once more as they began; then none is open.
fn once_more(held: &mut Held, as_before: &str) -> anyhow::Result<u64> {
    let more = held.round()?;
    let older = more.answers_of(as_before);
    ensure!(more.requests == older, "a connection has changed its filters, or was lost: {}", more.report);
    let after = held.round()?;
    ensure!(after.requests == 0, "a connection is open after two requests: {}", after.report);
    Ok(older)
}
