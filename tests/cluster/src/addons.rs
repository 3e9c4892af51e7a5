//! What makes a bare cluster one for applications: names, a registry, Istio.

use std::fs;
use std::process::Command;

use crate::kubectl::Kubectl;
use crate::place::Place;
use crate::run;
use crate::step::step;

/// Applies them all, and waits until every pod is ready.
pub(crate) fn install(place: &Place, kubectl: &Kubectl) -> anyhow::Result<()> {
    step("the node is ready", || {
        kubectl.run("wait --for=create node --all --timeout=60s")?;
        kubectl.run("wait --for=condition=Ready node --all --timeout=60s")
    })?;
    for addon in ["coredns", "registry"] {
        let manifest = place.sources().join(format!("manifests/{addon}.yaml"));
        step(&format!("applying {addon}"), || kubectl.apply(&fs::read_to_string(&manifest)?))?;
    }
    step("installing Istio", || {
        let mut install = Command::new(place.bin().join("istioctl"));
        install.args(["install", "--skip-confirmation", "--filename"]);
        install.arg(place.sources().join("manifests/istio.yaml"));
        install.env("KUBECONFIG", place.kubeconfig()).env("HOME", place.run());
        run::output(&mut install)
    })?;
    step("every pod is ready", || {
        kubectl.run("wait --for=condition=Available deployment --all --all-namespaces --timeout=120s")
    })?;
    Ok(())
}
