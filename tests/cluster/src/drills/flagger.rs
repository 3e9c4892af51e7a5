//! The receiver of Flagger's events: what Flagger posts becomes the weight, by `narrows set-weight`. Flagger itself
//! is not there: the events are those that its source makes.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::ensure;
use serde_json::{Value, json};

use super::service::{Service, settle};
use crate::binaries;
use crate::cluster::Cluster;
use crate::forward::Forward;
use crate::images;
use crate::place::Place;
use crate::run;

const SERVICE: Service = Service {
    namespace: "market",
    caller: "deployment/front-end",
    authority: "orders:8080",
    split: "orders",
    users: 300,
};
/// The events of one canary analysis, in order, each with the weight and the generation that must be written after it.
const EVENTS: [(&str, &str, u64, u64); 9] = [
    ("Initialized", "Initialization done! orders.market", 0, 1),
    ("Progressing", "New revision detected! Scaling up orders.market", 0, 2),
    ("Progressing", "Starting canary analysis for orders.market", 0, 2),
    ("Progressing", "Advance orders.market canary weight 10", 10, 2),
    ("Progressing", "Advance orders.market canary weight 30", 30, 2),
    ("Progressing", "Copying orders.market template spec to orders-primary.market", 30, 2),
    ("Promoting", "Routing all traffic to primary", 0, 2),
    ("Progressing", "Advance orders.market canary weight 10", 10, 2),
    ("Failed", "Canary failed! Scaling down orders.market", 0, 2),
];

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let place = Place::of(&cluster.root);
    binaries::build_for_drill(&place, &binaries::DRIVERS)?;
    images::bring_drivers(&place, cluster.program())?;
    cluster.kubectl.run("delete namespace market --ignore-not-found")?;
    let receiver = cluster.example("progressive-delivery/flagger/receiver.yaml")?;
    let receiver =
        receiver.replace("registry.example.com/market/narrows-webhook:1", "localhost/narrows-webhook:1");
    let apps = cluster.manifest("market.yaml")?;
    cluster.deploy(SERVICE.namespace, &format!("{apps}---\n{receiver}"))?;
    let manifest = cluster.example("progressive-delivery/istio/trafficextension-1.30-flagger.yaml")?;
    let _policy = cluster.attach(&manifest)?;
    let webhook = Forward::open(&cluster.kubectl, SERVICE.namespace, "deployment/narrows-webhook", 8080)?;
    let load = SERVICE.caller(cluster).load(&SERVICE.requests(), 8)?;
    let mut shares = Vec::new();
    for (phase, message, weight, generation) in EVENTS {
        let said = post(&webhook, &event(phase, message))?;
        let written = SERVICE.written(cluster)?;
        ensure!(written == (weight, generation), "after {message:?}: {written:?} is written; {said}");
        let chosen = SERVICE.chosen(cluster, &SERVICE.policy(cluster)?.to_string())?;
        settle(&chosen, || SERVICE.served_by(cluster, "canary"))?;
        shares.push(chosen.len());
    }
    let seen = load.end()?;
    seen.none_lost()?;
    let moved: BTreeSet<usize> = shares.into_iter().filter(|share| *share > 0).collect();
    ensure!(moved.len() == 2, "the steps have not moved the users: {moved:?}");
    refuses_what_it_cannot_do(&webhook)?;
    cluster.kubectl.run("delete namespace market")?;
    Ok(format!("{moved:?} of {} users, {} requests, 0 failed", SERVICE.users, seen.requests))
}

/// A weight that is not whole, and a resource that is not there, are answered with what is wrong.
fn refuses_what_it_cannot_do(webhook: &Forward) -> anyhow::Result<()> {
    let mut absent = event("Progressing", "Advance orders.market canary weight 10");
    absent["metadata"]["name"] = json!("absent");
    let mut elsewhere = event("Progressing", "Advance orders.market canary weight 10");
    elsewhere["namespace"] = json!("books");
    for (event, says) in [(absent, "not found"), (elsewhere, "forbidden")] {
        let answer = post(webhook, &event);
        ensure!(answer.as_ref().is_ok_and(|said| said.contains(says)), "{event}: {answer:?}");
    }
    Ok(())
}

/// An event as Flagger 1.44 posts it: with the metadata that the example's webhook has.
fn event(phase: &str, message: &str) -> Value {
    json!({
        "name": "orders", "namespace": "market", "phase": phase, "checksum": "85d557f47b",
        "metadata": {
            "eventMessage": message, "eventType": "Normal", "timestamp": "1796000000000",
            "kind": "TrafficExtension", "name": "orders-split", "split": "orders", "backend": "canary",
        },
    })
}

fn post(webhook: &Forward, event: &Value) -> anyhow::Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "15", "--noproxy", "*"]);
    curl.args(["--header", "content-type: application/json", "--data", &event.to_string()]);
    run::output(curl.arg(format!("http://{}/event", webhook.address())))
}
