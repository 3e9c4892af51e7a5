//! The drills, in a cluster of their own or in one that is there.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cluster::Cluster;
use crate::kubectl::Kubectl;
use crate::place::Place;
use crate::{drills, house, up};

/// Runs the drills that `filter` means: in the cluster that `KUBECONFIG` names, in the one that
/// `make cluster` has left running, or in one that is started for them and ended after them.
pub(crate) fn test(place: &Place, filter: &str) -> anyhow::Result<()> {
    drills::chosen(filter)?;
    if let Some(kubeconfig) = named(place) {
        let kubectl = Kubectl::new("kubectl", &kubeconfig);
        kubectl
            .run("get customresourcedefinition trafficextensions.extensions.istio.io")
            .context("the cluster of KUBECONFIG does not answer, or has no Istio 1.30 or later")?;
        return drills::run(Cluster::new(kubectl, &place.root)?, filter);
    }
    let kubectl = Kubectl::new(place.bin().join("kubectl"), &place.kubeconfig());
    if house::holder(place).is_some() {
        return drills::run(Cluster::new(kubectl, &place.root)?, filter);
    }
    up::up(place)?;
    let outcome = Cluster::new(kubectl, &place.root).and_then(|cluster| drills::run(cluster, filter));
    let ended = house::down(place);
    outcome.and(ended)
}

/// A cluster of somebody's own. A shell in which the first hour was walked names ours, which may have ended since.
fn named(place: &Place) -> Option<PathBuf> {
    let path = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty())?;
    (Path::new(&path) != place.kubeconfig()).then(|| path.into())
}
