//! What is tried in the cluster. Each drill is a promise of the documents, and a file.

mod absent;
mod argo;
mod bad_policy;
mod bobs_books;
mod books;
mod digest;
mod drivers;
mod first_hour;
mod flagger;
mod from_zero;
mod hello_helidon;
mod istiod_down;
mod labels;
mod lanes;
mod manifests;
mod open_connections;
mod operations;
mod registry_down;
mod removed;
mod restored_host;
mod rollback;
mod rollouts;
mod service;
mod signature;
mod system_egress;
mod update;
mod weights;
mod without_match;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{bail, ensure};
use narrows_harness::session::Session;

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
    ("both", "a WasmPlugin and a TrafficExtension of one policy at once", removed::both),
    ("open-connections", "attached and detached while connections are open", open_connections::run),
    ("digest", "every proxy shows the number of its policy", digest::run),
    ("headless", "a canary without a cluster IP is switched off", absent::headless),
    ("second-port", "a port that the canary lacks costs that port alone", absent::second_port),
    ("egress-proxy", "a canary unknown to a proxy with an egressProxy", absent::egress_proxy),
    ("without-match", "egress-policy judges no call that comes in", without_match::run),
    ("restored-host", "an AuthorizationPolicy with hosts, and restoreHost", restored_host::run),
    ("labels", "a pod's annotation makes labels, the mesh is as it was", labels::run),
    ("signature", "cosign verifies what narrows pack has signed", signature::run),
    ("operations", "docs/operations.md, command by command", operations::run),
    ("lanes", "a gray lane through services that hand on their trace alone", lanes::run),
    ("lane-host-gone", "gray, base where its host is gone, gray again", lanes::host_gone),
    ("argo", "Argo Rollouts sets the weight: rises, fails, rises again", argo::run),
    ("flagger", "Flagger's events set the weight, by narrows set-weight", flagger::run),
    ("drivers", "the tests of Argo's plugin and of Flagger's receiver", drivers::run),
    ("first-hour", "docs/first-hour.md, command by command", first_hour::run),
];

/// Those whose name contains one of the words in `filter`; all, if there is no word.
pub(crate) fn chosen(filter: &str) -> anyhow::Result<Vec<&'static Drill>> {
    let names: Vec<&str> = DRILLS.iter().map(|(name, ..)| *name).collect();
    for word in filter.split_whitespace() {
        let is_known = names.iter().any(|name| name.contains(word));
        ensure!(is_known, "no drill is called {word:?}; there are {}", names.join(", "));
    }
    let is_meant =
        |name: &str| filter.trim().is_empty() || filter.split_whitespace().any(|word| name.contains(word));
    Ok(DRILLS.iter().filter(|(name, ..)| is_meant(name)).collect())
}

/// Runs those that `filter` means, and says of each what happened.
pub(crate) fn run(mut cluster: Cluster, filter: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    let chosen = chosen(filter)?;
    step("the modules are in the registry", || cluster.stock())?;
    let mut failed = Vec::new();
    for (name, what, drill) in &chosen {
        match step(what, || drill(&cluster)) {
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

/// Has a document's commands for a cluster run in a process of their own: they find `kubectl` and `narrows` on the
/// path, and the cluster in the environment.
fn replayed(cluster: &Cluster, document: &str) -> anyhow::Result<String> {
    let mut replay = Command::new(std::env::current_exe()?);
    replay.args(["replay", document]).envs(cluster.environment()?);
    let done = replay.output()?;
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{said}");
    Ok(said.trim().to_owned())
}

/// Runs every command of a document in the cluster of the environment.
pub(crate) fn replay(root: &Path, document: &str) -> anyhow::Result<()> {
    let session =
        Session { directory: root.to_owned(), programs: std::env::current_exe()?.with_file_name("") };
    let commands = session.check_in_cluster(&root.join(document))?;
    ensure!(commands >= 10, "{document} shows only {commands} commands");
    println!("{commands} commands");
    Ok(())
}
