//! Which policy is in force: every proxy shows the number that `narrows digest` prints of the file.

use anyhow::ensure;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;

use super::books::{Books, EXTENSION, NAMESPACE, with_weight};
use super::service::series;
use crate::cluster::{Cluster, PATIENCE};

const GAUGE: &str = "narrows_policy_digest";
const PODS: usize = 3;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let scale = |replicas: usize| {
        cluster
            .kubectl
            .run(&format!("scale deployment front-end --namespace {NAMESPACE} --replicas={replicas}"))?;
        cluster.ready(NAMESPACE)
    };
    scale(PODS)?;
    let outcome = everywhere(cluster, &books);
    scale(1)?;
    outcome
}

fn everywhere(cluster: &Cluster, books: &Books<'_>) -> anyhow::Result<String> {
    let manifest = cluster.example(EXTENSION)?;
    let pods = cluster
        .kubectl
        .run(&format!("get pods --namespace {NAMESPACE} --selector app=bobbys-front-end --output name"))?;
    let pods: Vec<&str> = pods.lines().collect();
    ensure!(pods.len() == PODS, "{} pods, not {PODS}: {pods:?}", pods.len());
    let mut attached = cluster.attach(&manifest)?;
    let first = shown(cluster, &pods, &manifest)?;
    let changed = with_weight(&manifest, 20);
    attached.change(&changed)?;
    let second = shown(cluster, &pods, &changed)?;
    ensure!(first != second, "two policies have one number: {first}");
    // Another spelling of the same policy is the same policy.
    let respelt = changed.replace("weight: 20", "weight: 20.0");
    ensure!(respelt != changed && number(cluster, &respelt)? == second, "the number is one of the spelling");
    attached.detach()?;
    books.settle(&std::collections::BTreeSet::new())?;
    wait::until("the number to be gone with the plugin", PATIENCE, || {
        Ok(is_everywhere(cluster, &pods, 0)?.then_some(()))
    })?;
    Ok(format!("{PODS} proxies show {first}, then {second}, and 0 without the plugin"))
}

/// Waits until every pod shows the number of the manifest's policy.
fn shown(cluster: &Cluster, pods: &[&str], manifest: &str) -> anyhow::Result<usize> {
    let number = number(cluster, manifest)?;
    wait::until("every proxy to show the policy's number", PATIENCE, || {
        Ok(is_everywhere(cluster, pods, number)?.then_some(number))
    })
}

fn is_everywhere(cluster: &Cluster, pods: &[&str], number: usize) -> anyhow::Result<bool> {
    for pod in pods {
        if series(cluster, NAMESPACE, pod, GAUGE)? != number {
            return Ok(false);
        }
    }
    Ok(true)
}

fn number(cluster: &Cluster, manifest: &str) -> anyhow::Result<usize> {
    let folder = TempDir::new("drill")?;
    let file = folder.write("manifest.yaml", manifest)?.display().to_string();
    Ok(cluster.narrows(&["digest", &file])?.trim().parse()?)
}
