//! The programs of examples/progressive-delivery, by their own tests: they are Go, which no other test needs.

use std::process::Command;

use crate::cluster::Cluster;
use crate::run;

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let folder = cluster.root.join("examples/progressive-delivery");
    // As the programs are built, so that nothing is compiled twice.
    for verb in ["vet", "test"] {
        let mut go = Command::new("nice");
        go.args(["go", verb, "-trimpath", "./..."]).env("CGO_ENABLED", "0").current_dir(&folder);
        run::output(&mut go)?;
    }
    let unformatted = run::output(Command::new("gofmt").args(["-l", "."]).current_dir(&folder))?;
    anyhow::ensure!(unformatted.is_empty(), "gofmt writes these otherwise:\n{unformatted}");
    Ok(String::new())
}
