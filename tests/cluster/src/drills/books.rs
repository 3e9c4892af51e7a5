//! Bob's Books in the cluster: the applications, their users, and whom the policy sends where.

use std::cell::Cell;
use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use narrows_harness::prometheus::{self, Sample};
use narrows_harness::temp::TempDir;
use narrows_harness::wait;

use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Answer, Ask, Caller};

pub(super) const NAMESPACE: &str = "bobs-books";
pub(super) const EXTENSION: &str = "bobs-books/istio/trafficextension-1.30.yaml";
pub(super) const PLUGIN: &str = "bobs-books/istio/wasmplugin-1.27.yaml";
/// Whom the front end calls.
pub(super) const STOCK: &str = "bobbys-helidon-stock-application:8080";
/// Enough that a share of one in ten is no accident.
const USERS: usize = 300;

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
        Caller {
            kubectl: &self.cluster.kubectl,
            namespace: NAMESPACE,
            workload: "deployment/front-end",
            connect: STOCK,
        }
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
        series(self.cluster, "deployment/front-end", name)
    }

    /// The users whom the canary serves.
    pub(super) fn served_by_canary(&self) -> anyhow::Result<BTreeSet<usize>> {
        let answers = self.call_as(&users())?;
        let mut canary = BTreeSet::new();
        for (user, answer) in answers.iter().enumerate() {
            ensure!(answer.status == 200, "user {user} is answered {}: {}", answer.status, answer.body);
            if answer.version() == "canary" {
                canary.insert(user);
            }
        }
        Ok(canary)
    }

    /// The users whom a manifest's policy sends to the canary, as `narrows simulate` says.
    pub(super) fn chosen(&self, manifest: &str) -> anyhow::Result<BTreeSet<usize>> {
        let folder = TempDir::new("drill")?;
        let policy = folder.write("policy.yaml", manifest)?;
        let requests: Vec<_> = users().iter().map(Ask::to_json).collect();
        let requests = folder.write("requests.json", serde_json::to_string(&requests)?)?;
        let (policy, requests) = (policy.display().to_string(), requests.display().to_string());
        let said = self.cluster.narrows(&["simulate", &policy, "--requests", &requests])?;
        let decisions: Vec<&str> = said.lines().filter(|line| line.contains("split=stock")).collect();
        ensure!(decisions.len() == USERS, "{} decisions on {USERS} requests:\n{said}", decisions.len());
        let canary = decisions.iter().enumerate().filter(|(_, line)| line.contains("backend=canary"));
        Ok(canary.map(|(user, _)| user).collect())
    }

    /// Waits until exactly these users are served by the canary.
    pub(super) fn settle(&self, expected: &BTreeSet<usize>) -> anyhow::Result<()> {
        let mut last = Ok(BTreeSet::new());
        wait::until("the policy to be in force", PATIENCE, || {
            last = self.served_by_canary();
            Ok(last.as_ref().is_ok_and(|last| last == expected).then_some(()))
        })
        .with_context(|| match &last {
            Ok(last) => {
                format!("the canary serves {} users, {} expected: {last:?}", last.len(), expected.len())
            }
            Err(e) => format!("{e:#}"),
        })
    }
}

/// The sum of a filter's series in a proxy of the applications.
pub(super) fn series(cluster: &Cluster, workload: &str, name: &str) -> anyhow::Result<usize> {
    let page = cluster.proxy(NAMESPACE, workload, "stats/prometheus")?;
    // What the agent logs about itself begins with the time.
    let samples: String =
        page.lines().filter(|line| !line.starts_with("20")).map(|line| format!("{line}\n")).collect();
    let samples = prometheus::parse(&samples).context("the proxy's statistics")?;
    // Without the labels' names in the bootstrap, they are a part of the series' name.
    Ok(samples.iter().filter(|sample| sample.name.ends_with(name)).map(Sample::count).sum())
}

/// A request of each user.
pub(super) fn users() -> Vec<Ask> {
    (0..USERS).map(|user| Ask::get(STOCK, "/books").header(format!("x-user-id: user-{user}"))).collect()
}

/// A manifest with another weight.
pub(super) fn with_weight(manifest: &str, weight: u32) -> String {
    manifest
        .replace("\n              weight: 10\n", &format!("\n              weight: {weight}\n"))
        .replace("\n            weight: 10\n", &format!("\n            weight: {weight}\n"))
}
