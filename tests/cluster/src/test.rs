//! The drills, in a cluster of their own or in one that is there.

use std::path::PathBuf;

use anyhow::Context;

use crate::cluster::Cluster;
use crate::kubectl::Kubectl;
use crate::place::Place;
use crate::{drills, house, up};

/// Runs the drills that `filter` means: in the cluster that `KUBECONFIG` names, in the one that
/// `make cluster` has left running, or in one that is started for them and ended after them.
pub(crate) fn test(place: &Place, filter: &str) -> anyhow::Result<()> {
    drills::chosen(filter)?;
    if let Some(kubeconfig) = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty()) {
        let kubectl = Kubectl::new("kubectl", &PathBuf::from(kubeconfig));
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
