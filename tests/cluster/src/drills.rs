//! What is tried in the cluster. Each drill is a promise of the documents, and a file.

mod bad_policy;
mod bobs_books;
mod books;
mod first_hour;
mod from_zero;
mod hello_helidon;
mod istiod_down;
mod labels;
mod manifests;
mod registry_down;
mod removed;
mod restored_host;
mod rollback;
mod system_egress;
mod update;
mod weights;

pub(crate) use first_hour::replay;

use std::time::Instant;

use anyhow::{bail, ensure};

use crate::cluster::Cluster;
use crate::step::{seconds, step};

/// One of them: its name, what it shows, and how. It says a figure or two for people.
pub(crate) type Drill = (&'static str, &'static str, fn(&Cluster) -> anyhow::Result<String>);

/// All, in the order in which they run.
const DRILLS: &[Drill] = &[
    ("manifests", "every manifest of the examples is accepted", manifests::run),
    (
        "bobs-books-extension",
        "TrafficExtension: the policy's own users go to the canary",
        bobs_books::by_extension,
    ),
    ("bobs-books-plugin", "WasmPlugin: the same users", bobs_books::by_plugin),
    ("hello-helidon", "HTTPS at the ingress gateway: beta users are served by v2", hello_helidon::run),
    ("system-egress", "at the egress gateway: who calls decides", system_egress::run),
    ("weights", "six live changes of the weight, no request lost", weights::run),
    ("rollback", "from kubectl apply to the last answer of the canary", rollback::run),
    ("bad-policy-later", "a bad policy is refused, the older one stays", bad_policy::later),
    ("bad-policy-first", "a pod that starts with a bad policy passes traffic", bad_policy::first),
    ("update", "another module, by its digest, under load", update::run),
    ("registry-down", "a new pod without the registry, for each failStrategy", registry_down::run),
    ("from-zero", "a pod comes up with its policy, from the first request on", from_zero::run),
    ("istiod-down", "without istiod everything goes on", istiod_down::run),
    ("removed", "the filter is removed and added again, under load", removed::run),
    ("replaced", "a WasmPlugin gives way to a TrafficExtension, under load", removed::replaced),
    ("restored-host", "an AuthorizationPolicy with hosts, and restoreHost", restored_host::run),
    ("labels", "a pod's annotation makes labels, the mesh is as it was", labels::run),
    ("first-hour", "docs/first-hour.md, command by command", first_hour::run),
];

/// Those whose name contains `filter`.
pub(crate) fn chosen(filter: &str) -> anyhow::Result<Vec<&'static Drill>> {
    let chosen: Vec<&Drill> = DRILLS.iter().filter(|(name, ..)| name.contains(filter)).collect();
    let names: Vec<&str> = DRILLS.iter().map(|(name, ..)| *name).collect();
    ensure!(!chosen.is_empty(), "no drill is called {filter:?}; there are {}", names.join(", "));
    Ok(chosen)
}

/// Runs those whose name contains `filter`, and says of each what happened.
pub(crate) fn run(cluster: &Cluster, filter: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    let chosen = chosen(filter)?;
    step("the modules are in the registry", || cluster.stock())?;
    let mut failed = Vec::new();
    for (name, what, drill) in &chosen {
        match step(what, || drill(cluster)) {
            Ok(figure) if figure.is_empty() => {}
            Ok(figure) => println!("      {figure}"),
            Err(e) => {
                println!("      {name}: {e:#}");
                failed.push(*name);
            }
        }
    }
    println!(
        "\n{} of {} drills passed, in {}",
        chosen.len() - failed.len(),
        chosen.len(),
        seconds(start.elapsed())
    );
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}
