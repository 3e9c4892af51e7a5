//! Bob's Books in the cluster: the applications, their users, and whom the policy sends where.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::service::{Service, settle};
use crate::cluster::Cluster;
use crate::traffic::{Answer, Ask, Caller};

pub(super) const NAMESPACE: &str = "bobs-books";
pub(super) const EXTENSION: &str = "bobs-books/istio/trafficextension-1.30.yaml";
pub(super) const PLUGIN: &str = "bobs-books/istio/wasmplugin-1.27.yaml";
/// Whom the front end calls.
pub(super) const STOCK: &str = "bobbys-helidon-stock-application:8080";
/// Enough users that a share of one in ten is no accident.
const SERVICE: Service = Service {
    namespace: NAMESPACE,
    caller: "deployment/front-end",
    authority: STOCK,
    split: "stock",
    users: 300,
};

/// The applications, up to date and ready.
pub(super) struct Books<'a> {
    pub(super) cluster: &'a Cluster,
    /// How many calls of users were made, loads aside.
    calls: Cell<usize>,
}

impl<'a> Books<'a> {
    pub(super) fn open(cluster: &'a Cluster) -> anyhow::Result<Self> {
        let services = cluster.example("bobs-books/istio/service-canary.yaml")?;
        let apps = cluster.manifest("bobs-books.yaml")?;
        cluster.deploy(NAMESPACE, &format!("{apps}---\n{services}"))?;
        // What a run that was ended has left.
        let attached = "trafficextensions.extensions.istio.io,wasmplugins.extensions.istio.io";
        cluster.kubectl.run(&format!("delete {attached} --all --namespace {NAMESPACE}"))?;
        let books = Self { cluster, calls: Cell::new(0) };
        // What the drill before has attached may still be on its way out.
        books.settle(&BTreeSet::new())?;
        Ok(books)
    }

    /// The front end, which calls the stock application.
    pub(super) fn front_end(&self) -> Caller<'a> {
        SERVICE.caller(self.cluster)
    }

    /// A new pod of the front end: it has fetched and counted nothing.
    pub(super) fn renew(&self) -> anyhow::Result<()> {
        let restart = format!("rollout restart deployment/front-end --namespace {NAMESPACE}");
        self.cluster.kubectl.run(&restart)?;
        self.cluster.ready(NAMESPACE)
    }

    /// Calls of the front end, each once.
    pub(super) fn call_as(&self, asks: &[Ask]) -> anyhow::Result<Vec<Answer>> {
        self.calls.set(self.calls.get() + asks.len());
        self.front_end().send(asks)
    }

    /// How many calls were made so far, loads aside.
    pub(super) fn calls(&self) -> usize {
        self.calls.get()
    }

    /// The sum of a filter's series in the front end's proxy.
    pub(super) fn series(&self, name: &str) -> anyhow::Result<usize> {
        SERVICE.series(self.cluster, name)
    }

    /// The users whom the canary serves.
    pub(super) fn served_by_canary(&self) -> anyhow::Result<BTreeSet<usize>> {
        self.calls.set(self.calls.get() + SERVICE.users);
        SERVICE.served_by(self.cluster, "canary")
    }

    /// The users whom a manifest's policy sends to the canary, as `narrows simulate` says.
    pub(super) fn chosen(&self, manifest: &str) -> anyhow::Result<BTreeSet<usize>> {
        SERVICE.chosen(self.cluster, manifest)
    }

    /// Waits until exactly these users are served by the canary.
    pub(super) fn settle(&self, expected: &BTreeSet<usize>) -> anyhow::Result<()> {
        settle(expected, || self.served_by_canary())
    }
}

/// A request of each user.
pub(super) fn users() -> Vec<Ask> {
    SERVICE.requests()
}

/// A manifest with another weight.
pub(super) fn with_weight(manifest: &str, weight: u32) -> String {
    manifest
        .replace("\n              weight: 10\n", &format!("\n              weight: {weight}\n"))
        .replace("\n            weight: 10\n", &format!("\n            weight: {weight}\n"))
}
