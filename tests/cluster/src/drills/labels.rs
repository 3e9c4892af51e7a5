//! The labels of the filters' series, with nothing changed in the mesh's configuration.

use anyhow::ensure;
use narrows_harness::prometheus::{Sample, Server};

use super::books::{Books, EXTENSION, NAMESPACE, users};
use crate::cluster::Cluster;
use crate::forward::Forward;

/// By what a pod's proxy knows the labels: a list of their names.
const ANNOTATION: &str = "sidecar.istio.io/extraStatTags";
const SERIES: &str = "narrows_split_requests_total";

/// With the annotation on the caller's pods, a Prometheus sees split and backend as labels.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let books = Books::open(cluster)?;
    let manifest = cluster.example(EXTENSION)?;
    let chosen = books.chosen(&manifest)?;
    let _attached = cluster.attach(&manifest)?;
    // From a pod that knows no label but Istio's, whatever was tried before.
    annotate(cluster, "null")?;
    books.settle(&chosen)?;
    let page = cluster.proxy(NAMESPACE, "deployment/front-end", "stats/prometheus")?;
    ensure!(!page.contains(&format!("\n{SERIES}{{")), "the labels are known without the annotation");
    annotate(cluster, "\"split,backend,code_class,filter\"")?;
    let counted = count(cluster, &books, &chosen);
    annotate(cluster, "null")?;
    counted
}

fn count(
    cluster: &Cluster,
    books: &Books<'_>,
    chosen: &std::collections::BTreeSet<usize>,
) -> anyhow::Result<String> {
    books.settle(chosen)?;
    let forward = Forward::open(&cluster.kubectl, NAMESPACE, "deployment/front-end", 15020)?;
    let prometheus = Server::start([("front-end", forward.address())])?;
    let canary = format!("sum({SERIES}{{split=\"stock\",backend=\"canary\",code_class=\"2xx\"}})");
    let value = || -> anyhow::Result<usize> {
        prometheus.wait_for_scrape()?;
        Ok(prometheus.ask(&canary)?.first().map_or(0, Sample::count))
    };
    let before = value()?;
    ensure!(before > 0, "no series {canary}: {:?}", prometheus.ask("{__name__=~\".*split_requests.*\"}")?);
    books.front_end().send(&users())?;
    let after = value()?;
    ensure!(after - before == chosen.len(), "counted {} requests of {}", after - before, chosen.len());
    Ok(format!(
        "{SERIES}{{split=\"stock\", backend=\"canary\"}} counts {} of {}",
        after - before,
        chosen.len()
    ))
}

/// Sets the annotation on the pods of the front end, or takes it away; they start anew.
fn annotate(cluster: &Cluster, value: &str) -> anyhow::Result<()> {
    let patch = format!(
        "{{\"spec\":{{\"template\":{{\"metadata\":{{\"annotations\":{{\"{ANNOTATION}\":{value}}}}}}}}}}}"
    );
    cluster.kubectl.run(&format!("patch deployment front-end --namespace {NAMESPACE} --patch {patch}"))?;
    cluster.ready(NAMESPACE)
}
