//! From a clone to a cluster in which every pod is ready.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use narrows_harness::wait;

use crate::cluster::Cluster;
use crate::kubectl::Kubectl;
use crate::place::Place;
use crate::step::{seconds, step};
use crate::{addons, binaries, house, images, packages, pki, preconditions, traces};

/// For the control plane, on a machine that others use too.
const PATIENCE: Duration = Duration::from_mins(3);

/// Brings the cluster up. What fails ends it again, and leaves what its programs have said.
pub(crate) fn up(place: &Place) -> anyhow::Result<()> {
    let start = Instant::now();
    if let Some(id) = house::holder(place) {
        bail!("the cluster runs already, as process {id}; make cluster-down ends it");
    }
    preconditions::check(place)?;
    build(place)?;
    let archives = step("archives of the images", || images::make(place))?;
    let built = start.elapsed();
    let told = || format!("see {}", place.log().display());
    house::close(place)?;
    if place.run().exists() {
        std::fs::remove_dir_all(place.run())?;
    }
    traces::remember(place)?;
    let started = bring_up(place, &archives);
    if started.is_err() {
        house::close(place)?;
    }
    started.with_context(told)?;
    println!(
        "\neverything is ready after {}: {} to build what was missing, {} to start\n\n  {}",
        seconds(start.elapsed()),
        seconds(built),
        seconds(start.elapsed().saturating_sub(built)),
        invitation(place)
    );
    Ok(())
}

/// Makes the programs that are not there yet. It needs Go, and starts nothing.
pub(crate) fn build(place: &Place) -> anyhow::Result<()> {
    step("Debian's packages", || packages::unpack(place))?;
    binaries::build(place)
}

fn bring_up(place: &Place, archives: &[std::path::PathBuf]) -> anyhow::Result<()> {
    step("certificates", || pki::make(place))?;
    house::open(place)?;
    let kubectl = Kubectl::new(place.bin().join("kubectl"), &place.kubeconfig());
    step("the API server answers", || {
        wait::until("the API server", PATIENCE, || {
            if house::holder(place).is_none() {
                bail!("the cluster has ended:\n{}", house::last_words(place));
            }
            Ok(kubectl.run("get --raw /readyz").ok())
        })
    })?;
    step("containerd answers", || {
        wait::until("containerd", PATIENCE, || Ok(place.containerd_socket().exists().then_some(())))
    })?;
    images::import(place, archives)?;
    addons::install(place, &kubectl)?;
    step("pushing the modules to the registry", || {
        Cluster::new(kubectl, &place.root)?.push_modules().map(drop)
    })
}

fn invitation(place: &Place) -> String {
    format!(
        "export KUBECONFIG={} PATH={}:{}:$PATH\n  kubectl get pods --all-namespaces\n\nmake cluster-down ends it.",
        place.kubeconfig().display(),
        place.bin().display(),
        // `narrows` is built beside this program.
        std::env::current_exe().unwrap_or_default().parent().unwrap_or(&place.root).display()
    )
}
