//! The registry is down, and a pod starts that needs a module of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use narrows_harness::wait;

use super::books::{Books, EXTENSION, users, with_weight};
use crate::cluster::{Attached, Cluster};

/// What such a pod answers, for each `failStrategy`.
const STRATEGIES: [(&str, u16); 3] = [("FAIL_OPEN", 200), ("FAIL_CLOSE", 403), ("FAIL_RELOAD", 403)];
/// So long it is watched whether such a pod fetches the module by itself, once the registry is back.
const BY_ITSELF: Duration = Duration::from_secs(20);

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    cluster.kubectl.run("scale deployment registry --namespace registry --replicas=0")?;
    let outcome = new_pods(cluster, &books);
    // The drills after this one need it, whatever has happened.
    cluster.kubectl.run("scale deployment registry --namespace registry --replicas=1")?;
    cluster.ready("registry")?;
    cluster.push_modules()?;
    let mut attached = outcome?;
    let waited = waits(&books)?;
    // A push of the plugin makes it fetch again.
    let manifest = with_weight(&cluster.example(EXTENSION)?, 20);
    attached.change(&manifest)?;
    books.settle(&books.chosen(&manifest)?)?;
    // And so does a new pod.
    books.renew()?;
    books.settle(&books.chosen(&manifest)?)?;
    let strategies = STRATEGIES.map(|(strategy, status)| format!("{strategy} {status}")).join(", ");
    Ok(format!("{strategies}; once the registry is back, {waited}"))
}

/// A pod without a module does not ask again, as long as nothing is pushed.
fn waits(books: &Books<'_>) -> anyhow::Result<String> {
    let begun = Instant::now();
    let served = wait::until("the module to be fetched", BY_ITSELF, || {
        let statuses = statuses(books)?;
        Ok((statuses == BTreeSet::from([200])).then_some(()))
    });
    let took = begun.elapsed().as_secs();
    ensure!(served.is_err(), "the pod serves after {took} s: docs/operations.md says that it does not");
    Ok(format!("the pod still answers 403 after {took} s, until something is pushed"))
}

fn statuses(books: &Books<'_>) -> anyhow::Result<BTreeSet<u16>> {
    let answers = books.front_end().send(&users())?;
    Ok(answers.iter().map(|answer| answer.status).collect())
}

/// Tries a new pod under each strategy, and leaves the last one attached.
fn new_pods(cluster: &Cluster, books: &Books<'_>) -> anyhow::Result<Attached> {
    cluster
        .kubectl
        .run("wait --for=delete pod --selector app=registry --namespace registry --timeout=60s")?;
    let manifest = cluster.example(EXTENSION)?;
    let mut attached = cluster.attach(&manifest)?;
    for (strategy, status) in STRATEGIES {
        attached.change(&manifest.replace("FAIL_RELOAD", strategy))?;
        books.renew()?;
        let statuses = statuses(books).context(strategy)?;
        ensure!(
            statuses == BTreeSet::from([status]),
            "{strategy}: a new pod answers {statuses:?}, not {status}"
        );
    }
    Ok(attached)
}
