//! A workload that checks the host: what `authority` writes is refused, until `restoreHost` puts the host back.

use std::fs;

use anyhow::{Context, ensure};
use narrows_harness::temp::TempDir;
use narrows_harness::wait;

use super::books::{Books, EXTENSION, STOCK};
use crate::cluster::{Cluster, PATIENCE, REGISTRY};
use crate::traffic::{Answer, Ask};

/// More answers than a sidecar has connections: each may keep its older filters for one request more.
const ROUNDS: usize = 10;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let _split = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let _check = cluster.attach(&cluster.manifest("authorized-host.yaml")?)?;
    settle(&books, "the canary to refuse its own host", |answer| answer.status == 403)?;
    let _companion = cluster.attach(&companion(cluster)?)?;
    settle(&books, "the canary to serve the host that was asked for", |answer| {
        answer.version() == "canary" && answer.field("authority") == STOCK
    })?;
    Ok(String::new())
}

/// Waits until every answer to a caller of the canary is such.
fn settle(books: &Books<'_>, what: &str, is_such: fn(&Answer) -> bool) -> anyhow::Result<()> {
    let asks = vec![Ask::get(STOCK, "/books").header("x-canary: always"); ROUNDS];
    let mut last = Vec::new();
    wait::until(what, PATIENCE, || {
        last = books.front_end().send(&asks)?;
        Ok(last.iter().all(is_such).then_some(()))
    })
    .with_context(|| format!("{:?}", last.iter().map(|answer| answer.status).collect::<Vec<_>>()))
}

/// The same policy for the canary's own workload, as `narrows render` writes it.
fn companion(cluster: &Cluster) -> anyhow::Result<String> {
    let policy = fs::read_to_string(cluster.root.join("examples/bobs-books/policy.yaml"))?;
    let folder = TempDir::new("drill")?;
    let policy = folder.write("policy.yaml", policy + "restoreHost: true\n")?;
    let module = format!("oci://{REGISTRY}/narrows/canary-split:0.1.0");
    let line = "--as traffic-extension --istio 1.30 --name stock-host --namespace bobs-books \
                --selector app=bobbys-helidon-stock-application --selector version=canary --mode SERVER --port 8080";
    let policy = policy.display().to_string();
    let mut arguments = vec!["render", &policy, "--url", &module];
    arguments.extend(line.split_whitespace());
    let manifest = cluster.narrows(&arguments)?;
    ensure!(
        manifest.contains("phase: AUTHZ"),
        "restoreHost is not written before authorization:\n{manifest}"
    );
    Ok(manifest)
}
