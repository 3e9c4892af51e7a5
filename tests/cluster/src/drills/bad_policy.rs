//! A policy that is refused: a later one, and the first that a pod ever gets.

use std::collections::BTreeSet;

use anyhow::ensure;
use narrows_harness::wait;

use super::books::{Books, EXTENSION, with_weight};
use crate::cluster::{Cluster, PATIENCE};

/// The gauge of refused policies.
const REFUSED: &str = "narrows_config_rejected";
/// More than the whole.
const TOO_MUCH: u32 = 101;

/// The older policy serves on, the refusal is counted, and a restart of istiod changes nothing.
pub(super) fn later(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let mut attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    ensure!(books.series(REFUSED)? == 0, "a policy was refused before a bad one came");
    attached.change(&with_weight(&manifest, TOO_MUCH))?;
    wait_for_refusal(&books)?;
    ensure!(books.served_by_canary()? == chosen, "the older policy is not in force any more");
    cluster.kubectl.run("rollout restart deployment/istiod --namespace istio-system")?;
    cluster.ready("istio-system")?;
    ensure!(
        books.served_by_canary()? == chosen,
        "after a restart of istiod the older policy is not in force"
    );
    let mended = with_weight(&manifest, 20);
    attached.change(&mended)?;
    books.settle(&books.chosen(&mended)?)?;
    Ok(String::new())
}

/// A pod that knows no other policy passes traffic unchanged, until a mended policy comes: no restart.
pub(super) fn first(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let mut attached = cluster.attach(&with_weight(&manifest, TOO_MUCH))?;
    books.renew()?;
    wait_for_refusal(&books)?;
    let canary = books.served_by_canary()?;
    ensure!(canary == BTreeSet::new(), "without a policy {} users are served by the canary", canary.len());
    attached.change(&manifest)?;
    books.settle(&books.chosen(&manifest)?)?;
    ensure!(books.series(REFUSED)? == 0, "the refusal is told after a good policy has come");
    Ok(String::new())
}

fn wait_for_refusal(books: &Books<'_>) -> anyhow::Result<()> {
    wait::until("the refusal to be counted", PATIENCE, || Ok((books.series(REFUSED)? > 0).then_some(())))
}
