//! The registry is down, and a pod starts that needs a module of it.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};

use super::books::{Books, EXTENSION, users};
use crate::cluster::Cluster;

/// What such a pod answers, for each `failStrategy`.
const STRATEGIES: [(&str, u16); 3] = [("FAIL_RELOAD", 403), ("FAIL_CLOSE", 403), ("FAIL_OPEN", 200)];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    cluster.kubectl.run("scale deployment registry --namespace registry --replicas=0")?;
    let outcome = new_pods(cluster, &books);
    // The drills after this one need it, whatever has happened.
    cluster.kubectl.run("scale deployment registry --namespace registry --replicas=1")?;
    cluster.ready("registry")?;
    cluster.push_modules()?;
    outcome?;
    // A new pod finds its module again.
    let manifest = cluster.example(EXTENSION)?;
    let _attached = cluster.attach(&manifest)?;
    books.renew()?;
    books.settle(&books.chosen(&manifest)?)?;
    Ok(STRATEGIES.map(|(strategy, status)| format!("{strategy} {status}")).join(", "))
}

fn new_pods(cluster: &Cluster, books: &Books<'_>) -> anyhow::Result<()> {
    cluster
        .kubectl
        .run("wait --for=delete pod --selector app=registry --namespace registry --timeout=60s")?;
    let manifest = cluster.example(EXTENSION)?;
    for (strategy, status) in STRATEGIES {
        let _attached = cluster.attach(&manifest.replace("FAIL_RELOAD", strategy))?;
        books.renew()?;
        let answers = books.front_end().send(&users()).with_context(|| strategy.to_owned())?;
        let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
        ensure!(
            statuses == BTreeSet::from([status]),
            "{strategy}: a new pod answers {statuses:?}, not {status}"
        );
    }
    Ok(())
}
