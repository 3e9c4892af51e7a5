//! istiod is down: what runs goes on, and nothing can be changed.

use std::time::Duration;

use anyhow::ensure;
use narrows_harness::wait;

use super::books::{Books, EXTENSION, users, with_weight};
use crate::cluster::{Cluster, PATIENCE};

/// How long it is away.
const AWAY: Duration = Duration::from_secs(15);

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let mut attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let load = books.front_end().load(&users(), 8)?;
    cluster.kubectl.run("scale deployment istiod --namespace istio-system --replicas=0")?;
    let gone = cluster
        .kubectl
        .run("wait --for=delete pod --selector app=istiod --namespace istio-system --timeout=90s");
    std::thread::sleep(AWAY);
    let while_away = books.served_by_canary();
    let changed = with_weight(&manifest, 20);
    let refused = cluster.kubectl.apply(&changed);
    cluster.kubectl.run("scale deployment istiod --namespace istio-system --replicas=1")?;
    cluster.ready("istio-system")?;
    gone?;
    ensure!(while_away? == chosen, "without istiod the canary serves others");
    ensure!(refused.is_err(), "a change was accepted although nobody could check it");
    // Its webhook answers a moment after it is ready.
    wait::until("the change to be accepted", PATIENCE, || Ok(attached.change(&changed).ok()))?;
    books.settle(&books.chosen(&changed)?)?;
    let seen = load.end()?;
    seen.none_lost()?;
    Ok(format!("{} requests, 0 failed; a change is refused until it is back", seen.requests))
}
