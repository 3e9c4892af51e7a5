//! Argo Rollouts in the cluster: its controller with our plugin, and one Rollout.

use std::fs;

use anyhow::{Context, ensure};
use narrows_harness::wait;
use serde_json::Value;

use super::service::Service;
use crate::binaries;
use crate::cluster::{Attached, Cluster, PATIENCE};
use crate::images;
use crate::place::Place;

pub(super) const SERVICE: Service = Service {
    namespace: "books",
    caller: "deployment/front-end",
    authority: "stock:8080",
    split: "stock",
    users: 300,
};
/// Where the controller and what it asks run.
const NAMESPACES: &str = "argo-rollouts monitoring books";

/// The controller, and a Rollout whose weights it sets.
pub(super) struct Rollouts<'a> {
    pub(super) cluster: &'a Cluster,
    _policy: Attached,
}

/// What a Rollout says of itself.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) phase: String,
    pub(super) message: String,
    step: Option<u64>,
}

impl<'a> Rollouts<'a> {
    /// Builds and installs what is missing; then the first version serves everybody.
    pub(super) fn open(cluster: &'a Cluster) -> anyhow::Result<Self> {
        let place = Place::of(&cluster.root);
        binaries::build_for_drill(&place, &binaries::DRIVERS)?;
        images::bring_drivers(&place, cluster.program())?;
        cluster.kubectl.run(&format!("delete namespace {NAMESPACES} --ignore-not-found"))?;
        install(cluster, &place)?;
        cluster.deploy("monitoring", &cluster.manifest("prometheus.yaml")?)?;
        cluster.deploy(SERVICE.namespace, &cluster.manifest("books.yaml")?)?;
        let policy =
            cluster.attach(&cluster.example("progressive-delivery/istio/trafficextension-1.30.yaml")?)?;
        let rollouts = Self { cluster, _policy: policy };
        rollouts.bring("v1", 200)?;
        rollouts.until("the first version to be there", |status| status.phase == "Healthy")?;
        Ok(rollouts)
    }

    /// Gives the Rollout another version, whose every answer has this status.
    pub(super) fn bring(&self, version: &str, status: u16) -> anyhow::Result<()> {
        let example = self.cluster.example("progressive-delivery/argo-rollouts/rollout.yaml")?;
        let image = format!(
            "image: localhost/narrows-echo:1\n          \
             args: [--name, stock, --version, {version}, --status, \"{status}\"]"
        );
        let mut manifest = example;
        // A step is promoted when it has been looked at.
        for (text, ours) in [
            ("image: registry.example.com/stock:1.0.0", &*image),
            ("pause: { duration: 10m }", "pause: {}"),
            ("pause: { duration: 2m }", "pause: {}"),
            ("interval: 30s", "interval: 2s"),
        ] {
            ensure!(manifest.contains(text), "the example has no `{text}`");
            manifest = manifest.replace(text, ours);
        }
        self.cluster.kubectl.apply(&manifest).map(drop)
    }

    /// What `kubectl argo rollouts promote` does: the pause is over, which is this step.
    pub(super) fn promote(&self, step: u64) -> anyhow::Result<()> {
        let is_paused = |status: &Status| status.phase == "Paused" && status.step == Some(step);
        self.until(&format!("the pause at step {step}"), is_paused)?;
        let patch = "patch rollout stock --namespace books --subresource status --type merge \
                     --patch {\"status\":{\"pauseConditions\":null}}";
        self.cluster.kubectl.run(patch).map(drop)
    }

    /// Waits until the controller says so of the Rollout as it is now.
    pub(super) fn until(&self, what: &str, fits: impl Fn(&Status) -> bool) -> anyhow::Result<Status> {
        let mut last = None;
        let found = wait::until(what, PATIENCE, || {
            let status = self.status()?;
            let is_so = status.as_ref().is_some_and(&fits);
            last = status.or(last.take());
            Ok(if is_so { last.take() } else { None })
        });
        found.with_context(|| format!("the Rollout says {last:?}\n{}", self.last_words()))
    }

    /// None while the controller has not looked at it yet.
    fn status(&self) -> anyhow::Result<Option<Status>> {
        let line = format!("get rollout stock --namespace {} --output json", SERVICE.namespace);
        let rollout: Value = serde_json::from_str(&self.cluster.kubectl.run(&line)?)?;
        let text = |field: &str| rollout["status"][field].as_str().unwrap_or_default().to_owned();
        let observed: Option<u64> = text("observedGeneration").parse().ok();
        let is_current = observed.is_some() && observed == rollout["metadata"]["generation"].as_u64();
        let step = rollout["status"]["currentStepIndex"].as_u64();
        Ok(is_current.then(|| Status { phase: text("phase"), message: text("message"), step }))
    }

    /// Waits for a weight.
    pub(super) fn until_weight(&self, expected: u64) -> anyhow::Result<()> {
        let mut last = None;
        wait::until(&format!("the weight {expected}"), PATIENCE, || {
            let (weight, _) = SERVICE.written(self.cluster)?;
            last = Some(weight);
            Ok((weight == expected).then_some(()))
        })
        .with_context(|| format!("the last weight was {last:?}\n{}", self.last_words()))
    }

    /// Takes it all away.
    pub(super) fn close(self) -> anyhow::Result<()> {
        self.cluster.kubectl.run(&format!("delete namespace {NAMESPACES}")).map(drop)
    }

    /// The last that the controller has logged, the plugin's lines among it.
    fn last_words(&self) -> String {
        let logs =
            self.cluster.kubectl.run("logs deployment/argo-rollouts --namespace argo-rollouts --tail 30");
        logs.unwrap_or_else(|e| format!("{e:#}"))
    }
}

/// Argo's own manifests, with the image that has the plugin too.
fn install(cluster: &Cluster, place: &Place) -> anyhow::Result<()> {
    for namespace in NAMESPACES.split_whitespace() {
        let labels =
            if namespace == SERVICE.namespace { ", labels: { istio-injection: enabled }" } else { "" };
        let manifest =
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {namespace}{labels} }}\n");
        cluster.kubectl.apply(&manifest)?;
    }
    let manifest = binaries::sources(place, &binaries::DRIVERS)?.join("manifests/install.yaml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    let ours = text.lines().map(|line| match line.trim_start() {
        // The folder that it starts in, which Argo's own image says.
        other if other.starts_with("- image: quay.io/argoproj/argo-rollouts:") => {
            "      - workingDir: /home/argo-rollouts\n        image: localhost/argo-rollouts:1".to_owned()
        }
        "imagePullPolicy: Always" => line.replace("Always", "IfNotPresent"),
        _ => line.to_owned(),
    });
    let ours: Vec<String> = ours.collect();
    let ours = ours.join("\n");
    ensure!(ours.contains("localhost/argo-rollouts:1"), "{} names no image of Argo's", manifest.display());
    cluster.kubectl.feed("apply --server-side --namespace argo-rollouts -f -", &ours)?;
    // It reads its configuration when it starts.
    cluster.kubectl.apply(&cluster.example("progressive-delivery/argo-rollouts/controller.yaml")?)?;
    cluster.restart("argo-rollouts")
}
