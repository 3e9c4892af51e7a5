//! A service whose requests a policy divides: its users, and whom the policy sends where.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use narrows_harness::prometheus::{self, Sample};
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use serde_json::Value;

use crate::cluster::{Cluster, PATIENCE};
use crate::traffic::{Ask, Caller};

/// The service, and who calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) namespace: &'static str,
    /// The caller's workload.
    pub(super) caller: &'static str,
    /// The host that it calls.
    pub(super) authority: &'static str,
    /// The split of the policy.
    pub(super) split: &'static str,
    pub(super) users: usize,
}

impl Service {
    pub(super) fn caller<'a>(&self, cluster: &'a Cluster) -> Caller<'a> {
        Caller {
            kubectl: &cluster.kubectl,
            namespace: self.namespace,
            workload: self.caller,
            connect: self.authority,
        }
    }

    /// A request of each user.
    pub(super) fn requests(&self) -> Vec<Ask> {
        let ask = |user| Ask::get(self.authority, "/books").header(format!("x-user-id: user-{user}"));
        (0..self.users).map(ask).collect()
    }

    /// The users whom a manifest's policy sends to the canary, as `narrows simulate` says.
    pub(super) fn chosen(&self, cluster: &Cluster, manifest: &str) -> anyhow::Result<BTreeSet<usize>> {
        let folder = TempDir::new("drill")?;
        let policy = folder.write("policy.yaml", manifest)?;
        let requests: Vec<_> = self.requests().iter().map(Ask::to_json).collect();
        let requests = folder.write("requests.json", serde_json::to_string(&requests)?)?;
        let (policy, requests) = (policy.display().to_string(), requests.display().to_string());
        let said = cluster.narrows(&["simulate", &policy, "--requests", &requests])?;
        let of_split = format!("split={} ", self.split);
        let decisions: Vec<&str> = said.lines().filter(|line| line.contains(&of_split)).collect();
        ensure!(
            decisions.len() == self.users,
            "{} decisions on {} requests:\n{said}",
            decisions.len(),
            self.users
        );
        let canary = decisions.iter().enumerate().filter(|(_, line)| line.contains("backend=canary"));
        Ok(canary.map(|(user, _)| user).collect())
    }

    /// The users whom a version serves. Everybody must be served.
    pub(super) fn served_by(&self, cluster: &Cluster, version: &str) -> anyhow::Result<BTreeSet<usize>> {
        let answers = self.caller(cluster).send(&self.requests())?;
        let mut served = BTreeSet::new();
        for (user, answer) in answers.iter().enumerate() {
            ensure!(answer.status == 200, "user {user} is answered {}: {}", answer.status, answer.body);
            if answer.version() == version {
                served.insert(user);
            }
        }
        Ok(served)
    }

    /// The policy as it is in the cluster, in its resource.
    pub(super) fn policy(&self, cluster: &Cluster) -> anyhow::Result<Value> {
        let (split, namespace) = (self.split, self.namespace);
        let line = format!("get trafficextension {split}-split --namespace {namespace} --output json");
        Ok(serde_json::from_str(&cluster.kubectl.run(&line)?)?)
    }

    /// The weight of the canary, and the generation of the rollback, in that policy.
    pub(super) fn written(&self, cluster: &Cluster) -> anyhow::Result<(u64, u64)> {
        let policy = self.policy(cluster)?;
        let number = |place: &str| {
            let found = policy.pointer(&format!("/spec/wasm/pluginConfig/splits/0/{place}"));
            found.and_then(Value::as_u64).with_context(|| format!("no {place} in {policy}"))
        };
        Ok((number("backends/1/weight")?, number("rollback/generation")?))
    }

    /// The sum of a filter's series in the caller's proxy.
    pub(super) fn series(&self, cluster: &Cluster, name: &str) -> anyhow::Result<usize> {
        series(cluster, self.namespace, self.caller, name)
    }
}

/// Looks until exactly the expected users are served.
pub(super) fn settle(
    expected: &BTreeSet<usize>,
    mut look: impl FnMut() -> anyhow::Result<BTreeSet<usize>>,
) -> anyhow::Result<()> {
    let mut last = Ok(BTreeSet::new());
    wait::until("the policy to be in force", PATIENCE, || {
        last = look();
        Ok(last.as_ref().is_ok_and(|last| last == expected).then_some(()))
    })
    .with_context(|| match &last {
        Ok(last) => format!("the canary serves {} users, {} expected: {last:?}", last.len(), expected.len()),
        Err(e) => format!("{e:#}"),
    })
}

/// The sum of a filter's series in a proxy.
pub(super) fn series(
    cluster: &Cluster,
    namespace: &str,
    workload: &str,
    name: &str,
) -> anyhow::Result<usize> {
    let page = cluster.proxy(namespace, workload, "stats/prometheus")?;
    // What the agent logs about itself begins with the time.
    let samples: String =
        page.lines().filter(|line| !line.starts_with("20")).map(|line| format!("{line}\n")).collect();
    let samples = prometheus::parse(&samples).context("the proxy's statistics")?;
    // Without the labels' names in the bootstrap, they are a part of the series' name.
    Ok(samples.iter().filter(|sample| sample.name.ends_with(name)).map(Sample::count).sum())
}
