//! `docs/first-hour.md`, as a reader types it.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use narrows_harness::session::Session;

use crate::cluster::Cluster;

const DOCUMENT: &str = "docs/first-hour.md";

/// Its commands find `kubectl` and `narrows` on the path, and the cluster in the environment: so they run in
/// a process of their own.
pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    // What other drills have left is not there for a reader.
    cluster.kubectl.run("delete namespace bobs-books --ignore-not-found")?;
    let mut replay = Command::new(std::env::current_exe()?);
    replay.arg("replay").envs(cluster.environment()?);
    let done = replay.output()?;
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{said}");
    cluster.kubectl.run("wait namespace/bobs-books --for=delete --timeout=60s")?;
    Ok(said.trim().to_owned())
}

/// Runs every command of the document in the cluster of the environment.
pub(crate) fn replay(root: &Path) -> anyhow::Result<()> {
    let session =
        Session { directory: root.to_owned(), programs: std::env::current_exe()?.with_file_name("") };
    let commands = session.check_in_cluster(&root.join(DOCUMENT))?;
    ensure!(commands >= 10, "{DOCUMENT} shows only {commands} commands");
    println!("{commands} commands");
    Ok(())
}
