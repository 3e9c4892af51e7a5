//! A canary that cannot be reached by `authority`, of the kinds that are easily made: the guard switches it off,
//! and the stable version serves its users.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use narrows_harness::wait;

use super::books::{Books, EXTENSION, STOCK, users};
use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Answer, Ask, Caller};

/// The gauge of backends that are switched off.
const GUARD: &str = "narrows_split_guard";
const CANARY: &str = "bobbys-helidon-stock-application-canary";
/// The port that the canary's Service lacks.
const OTHER: &str = "bobbys-helidon-stock-application:9090";
/// A canary that is switched off is tried again by one request in ten after each cooldown of 30 seconds: of
/// users in hundreds, that is a few.
const FEW: usize = 12;

/// What a canary that is absent has cost.
#[derive(Default)]
struct Cost {
    /// Requests that failed.
    failed: usize,
    /// Requests that the stable version served under the canary's host.
    misnamed: usize,
}

impl Cost {
    fn add(&mut self, answers: &[Answer]) {
        for answer in answers {
            if answer.status != 200 {
                self.failed += 1;
            } else if answer.version() == "stable" && !answer.field("authority").starts_with(STOCK) {
                self.misnamed += 1;
            }
        }
    }
}

/// A proxy that has switched nothing off yet.
fn open(cluster: &Cluster) -> anyhow::Result<Books<'_>> {
    let books = Books::open(cluster)?;
    books.renew()?;
    ensure!(books.series(GUARD)? == 0, "a new proxy has switched a backend off");
    Ok(books)
}

/// The canary's Service has no cluster IP: istiod makes a cluster that goes wherever the caller went.
pub(super) fn headless(cluster: &Cluster) -> anyhow::Result<String> {
    let books = open(cluster)?;
    let _service = cluster.attach(&cluster.manifest("headless.yaml")?)?;
    let manifest = cluster.example(EXTENSION)?.replace(CANARY, "stock-headless");
    let attached = cluster.attach(&manifest)?;
    let cost = until_off(&books)?;
    attached.detach()?;
    books.settle(&BTreeSet::new())?;
    said(&cost)
}

/// The caller's proxy does not know the canary's host, and sends it to the egress gateway.
pub(super) fn egress_proxy(cluster: &Cluster) -> anyhow::Result<String> {
    let books = open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let sidecar = cluster.attach(&cluster.manifest("egress-proxy.yaml")?)?;
    let cost = until_off(&books)?;
    sidecar.detach()?;
    // Nothing has to be done: a probe finds the canary.
    books.settle(&chosen).context("after the proxy knows the canary again")?;
    attached.detach()?;
    said(&cost)
}

/// The stable Service has a second port, the canary's has not: that port alone goes without the canary.
pub(super) fn second_port(cluster: &Cluster) -> anyhow::Result<String> {
    let books = open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let manifest = manifest.replace("      ports:\n        - number: 8080\n", "");
    ensure!(!manifest.contains("number: 8080"), "the filter is attached to one port");
    let chosen = books.chosen(&manifest)?;
    let attached = cluster.attach(&manifest)?;
    books.settle(&chosen)?;
    let outcome = with_two_ports(cluster, &books, &chosen);
    attached.detach()?;
    // The Service as it was.
    Books::open(cluster)?;
    outcome
}

fn with_two_ports(cluster: &Cluster, books: &Books<'_>, chosen: &BTreeSet<usize>) -> anyhow::Result<String> {
    cluster.kubectl.apply(&cluster.manifest("second-port.yaml")?)?;
    let other = Caller { connect: OTHER, ..books.front_end() };
    let asks: Vec<Ask> = users().into_iter().map(|ask| Ask { authority: OTHER.to_owned(), ..ask }).collect();
    // The proxy hears of the port a moment later; then the canary's users fail until it is switched off there.
    wait::until("the other port to be served by the stable version", PATIENCE, || {
        let Ok(answers) = other.send(&asks) else { return Ok(None) };
        Ok(answers.iter().all(|answer| answer.version() == "stable").then_some(()))
    })?;
    ensure!(books.series(GUARD)? > 0, "the canary is not switched off at the port that it lacks");
    let canary = books.served_by_canary()?;
    ensure!(&canary == chosen, "the first port is split otherwise: {canary:?}, not {chosen:?}");
    Ok(format!(
        "{} of {} users to the canary on the first port as before, none on the second",
        canary.len(),
        users().len()
    ))
}

/// Calls of every user until the canary is switched off; then nobody is served otherwise than by the stable
/// version, under the host that was asked for.
fn until_off(books: &Books<'_>) -> anyhow::Result<Cost> {
    let mut cost = Cost::default();
    wait::until("the canary to be switched off", PATIENCE, || {
        cost.add(&books.call_as(&users())?);
        Ok((books.series(GUARD)? > 0).then_some(()))
    })?;
    let mut after = Cost::default();
    after.add(&books.call_as(&users())?);
    ensure!(
        after.failed + after.misnamed <= FEW,
        "after the canary was switched off {} of {} requests failed, {} went under its host",
        after.failed,
        users().len(),
        after.misnamed
    );
    Ok(cost)
}

fn said(cost: &Cost) -> anyhow::Result<String> {
    ensure!(cost.failed + cost.misnamed <= FEW, "{} failed, {} misnamed", cost.failed, cost.misnamed);
    Ok(format!(
        "{} requests failed and {} were served under the canary's host before it was switched off",
        cost.failed, cost.misnamed
    ))
}
