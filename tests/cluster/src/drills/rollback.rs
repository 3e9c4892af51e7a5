//! How long the canary serves after somebody has decided that it shall not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};

use super::books::{Books, EXTENSION, users, with_weight};
use crate::cluster::Cluster;

/// After `kubectl`, a rollback takes less, or something is wrong.
const LIMIT_MS: u64 = 5_000;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = with_weight(&cluster.example(EXTENSION)?, 50);
    let mut attached = cluster.attach(&manifest)?;
    books.settle(&books.chosen(&manifest)?)?;
    let load = books.front_end().load(&users(), 8)?;
    // Until the load is really there.
    std::thread::sleep(Duration::from_secs(2));
    let decided = now()?;
    attached.change(&with_weight(&cluster.example(EXTENSION)?, 0))?;
    let applied = now()?;
    std::thread::sleep(Duration::from_millis(LIMIT_MS + 1_000));
    let seen = load.end()?;
    seen.none_lost()?;
    let (_, last) =
        seen.versions.get("canary").with_context(|| format!("no canary at all: {}", seen.report))?;
    let took = last.saturating_sub(decided);
    ensure!(took > 0, "the canary has not served until the rollback: {}", seen.report);
    // On a cluster that has just started, `kubectl` alone takes seconds.
    let after = last.saturating_sub(applied);
    ensure!(after < LIMIT_MS, "the canary has served for {after} ms after the rollback was applied");
    Ok(format!(
        "{took} ms, of which kubectl took {} ms; {} requests, 0 failed",
        applied - decided,
        seen.requests
    ))
}

fn now() -> anyhow::Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
