//! The example with a gray lane, through services that hand on traceparent alone.

use anyhow::ensure;
use narrows_harness::wait;
use serde_json::Value;

use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Answer, Ask, Caller};

const NAMESPACE: &str = "shop";
/// As many requests of each kind.
const REQUESTS: usize = 50;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let apps = cluster.manifest("shop.yaml")?;
    let services = cluster.example("gray-lane/istio/services.yaml")?;
    cluster.deploy(NAMESPACE, &format!("{apps}---\n{services}"))?;
    let _lanes = cluster.attach(&cluster.example("gray-lane/istio/wasmplugin-1.27.yaml")?)?;
    let _split = cluster.attach(&cluster.example("gray-lane/istio/wasmplugin-1.27-split.yaml")?)?;
    let caller = Caller {
        kubectl: &cluster.kubectl,
        namespace: NAMESPACE,
        workload: "deployment/caller",
        connect: "front-gray:8080",
    };
    let mut round = 0;
    let mut ways = Ok(Vec::new());
    let settled = wait::until("the lanes to be carried", PATIENCE, || {
        round += 1;
        ways = ways_of(&caller, round);
        Ok(ways.as_ref().is_ok_and(|ways| ways.iter().all(|(way, meant)| way == meant)).then_some(()))
    });
    ensure!(settled.is_ok(), "{ways:?}");
    // And again, with nothing that settles in between.
    for (way, meant) in ways_of(&caller, round + 1)? {
        ensure!(way == meant, "{way}, not {meant}");
    }
    Ok(format!("{} requests, half of them gray: none in a wrong lane", 2 * REQUESTS))
}

/// The way of each request, and the one that it should have. In turn they are gray and in no lane.
fn ways_of(caller: &Caller<'_>, round: usize) -> anyhow::Result<Vec<(String, &'static str)>> {
    let is_gray = |number: usize| number.is_multiple_of(2);
    let ask = |number: usize| {
        let id = format!("{round:08x}{number:08x}");
        let ask = Ask::get("front-gray:8080", "/")
            .header(format!("traceparent: 00-4bf92f3577b34da6{id}-00f067aa0ba902b7-01"));
        if is_gray(number) { ask.header("x-lane: gray") } else { ask }
    };
    let asks: Vec<Ask> = (1..=2 * REQUESTS).map(ask).collect();
    let answers = caller.send(&asks)?;
    let meant = |number| {
        if is_gray(number) {
            "front gray, orders base, stock gray"
        } else {
            "front gray, orders base, stock base"
        }
    };
    Ok(answers.iter().zip(1..).map(|(answer, number)| (way(answer), meant(number))).collect())
}

/// The applications that a request went through, each with its version.
fn way(answer: &Answer) -> String {
    let mut report: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let mut way = Vec::new();
    while let Some(app) = report["app"].as_str() {
        way.push(format!("{app} {}", report["version"].as_str().unwrap_or_default()));
        report = report["called"]["body"].take();
    }
    way.join(", ")
}
