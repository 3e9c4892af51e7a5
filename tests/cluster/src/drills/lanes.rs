//! The example with a gray lane, through services that hand on traceparent alone.

use anyhow::ensure;
use narrows_harness::wait;
use serde_json::Value;

use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Answer, Ask, Caller};

const NAMESPACE: &str = "shop";
/// As many requests of each kind.
const REQUESTS: usize = 50;
/// The ways of a request: in no lane, in the gray one without a gray version of `orders`, and with one.
const BASE: &str = "front gray, orders base, stock base";
const GRAY: &str = "front gray, orders base, stock gray";
const ALL_GRAY: &str = "front gray, orders gray, stock gray";
/// As many as the guard of a split lets fail: those until it knows, and one in ten after each cooldown.
const LOST: usize = 12;
/// The split that the example does without.
const ORDERS: &str = "    splits:
      - name: orders
        service: orders.shop
        include: [{ matches: [{ headers: { x-lane: { exact: gray } } }], backend: gray }]
        backends: [{ name: base, baseline: true }, { name: gray, authority: orders-gray }]
";

/// The services that have a gray version serve the lane; the one that has none passes it on.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let shop = Shop::open(cluster)?;
    let _lanes = cluster.attach(&cluster.example("gray-lane/istio/wasmplugin-1.27.yaml")?)?;
    let _split = cluster.attach(&cluster.example("gray-lane/istio/wasmplugin-1.27-split.yaml")?)?;
    shop.settle(0, GRAY)?;
    // And again, with nothing that settles in between.
    let lost = shop.ways(1_000, GRAY)?;
    ensure!(lost == 0, "{lost} requests failed");
    Ok(format!("{} requests, half of them gray: none in a wrong lane", 2 * REQUESTS))
}

/// A host of the lane goes away and comes back: the baseline serves in between, and the lane goes on behind it.
pub(super) fn host_gone(cluster: &Cluster) -> anyhow::Result<String> {
    let shop = Shop::open(cluster)?;
    cluster.deploy(NAMESPACE, &cluster.manifest("orders-gray.yaml")?)?;
    let _lanes = cluster.attach(&cluster.example("gray-lane/istio/wasmplugin-1.27.yaml")?)?;
    let example = cluster.example("gray-lane/istio/wasmplugin-1.27-split.yaml")?;
    let split = example.replace("    splits:\n", ORDERS);
    ensure!(split != example, "the example has no splits");
    let _split = cluster.attach(&split)?;
    shop.settle(0, ALL_GRAY)?;
    scale(cluster, 0)?;
    let gone = "wait --for=delete pod --selector app=orders-gray --namespace shop --timeout=60s";
    cluster.kubectl.run(gone)?;
    let mut lost = 0;
    wait::until("the baseline to serve", PATIENCE, || {
        let (failed, ways) = shop.call(1_000 + lost, 1)?;
        lost += failed;
        Ok(ways.iter().any(|(_, way)| way == GRAY).then_some(()))
    })?;
    lost += shop.ways(2_000, GRAY)?;
    ensure!(lost <= LOST, "{lost} requests failed when the host was gone");
    scale(cluster, 1)?;
    cluster.ready(NAMESPACE)?;
    shop.settle(3_000, ALL_GRAY)?;
    let delete = "delete deployment,service orders-gray --namespace shop";
    cluster.kubectl.run(delete)?;
    Ok(format!("{lost} of {} gray requests failed, none was in a wrong lane", REQUESTS + lost))
}

fn scale(cluster: &Cluster, replicas: u32) -> anyhow::Result<()> {
    let scale = format!("scale deployment orders-gray --namespace {NAMESPACE} --replicas={replicas}");
    cluster.kubectl.run(&scale).map(drop)
}

/// The applications, up to date and ready.
struct Shop<'a>(Caller<'a>);

impl<'a> Shop<'a> {
    fn open(cluster: &'a Cluster) -> anyhow::Result<Self> {
        let apps = cluster.manifest("shop.yaml")?;
        let services = cluster.example("gray-lane/istio/services.yaml")?;
        cluster.deploy(NAMESPACE, &format!("{apps}---\n{services}"))?;
        Ok(Self(Caller {
            kubectl: &cluster.kubectl,
            namespace: NAMESPACE,
            workload: "deployment/caller",
            connect: "front-gray:8080",
        }))
    }

    /// Waits until gray requests take this way, and no other request does.
    fn settle(&self, round: usize, gray: &str) -> anyhow::Result<()> {
        let mut round = round;
        let mut last = Ok(0);
        let settled = wait::until("the lanes to be carried", PATIENCE, || {
            round += 1;
            last = self.ways(round, gray);
            Ok(matches!(last, Ok(0)).then_some(()))
        });
        ensure!(settled.is_ok(), "gray requests do not go {gray}: {last:?}");
        Ok(())
    }

    /// Refuses a request on another way than its own. How many were not answered?
    fn ways(&self, round: usize, gray: &str) -> anyhow::Result<usize> {
        let (failed, ways) = self.call(round, REQUESTS)?;
        for (is_gray, way) in ways {
            let meant = if is_gray { gray } else { BASE };
            ensure!(way == meant, "{way}, not {meant}");
        }
        Ok(failed)
    }

    /// As many requests of each kind, in turn gray and in no lane: how many have failed, and the ways of the others.
    /// Each has a trace of its own.
    fn call(&self, round: usize, requests: usize) -> anyhow::Result<(usize, Vec<(bool, String)>)> {
        let is_gray = |number: usize| number.is_multiple_of(2);
        let ask = |number: usize| {
            let id = format!("{round:08x}{number:08x}");
            let ask = Ask::get("front-gray:8080", "/")
                .header(format!("traceparent: 00-4bf92f3577b34da6{id}-00f067aa0ba902b7-01"));
            if is_gray(number) { ask.header("x-lane: gray") } else { ask }
        };
        let asks: Vec<Ask> = (1..=2 * requests).map(ask).collect();
        let answers = self.0.send(&asks)?;
        let served = answers.iter().zip(1..).filter(|(answer, _)| answer.status == 200);
        let ways: Vec<_> = served.map(|(answer, number)| (is_gray(number), way(answer))).collect();
        Ok((answers.len() - ways.len(), ways))
    }
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
