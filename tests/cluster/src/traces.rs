//! What a cluster could leave behind on the machine: looked for after it has ended, against what was there
//! before it began.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use narrows_harness::wait;

use crate::house;
use crate::place::Place;
use crate::run;

/// All that is looked for, for people.
pub(crate) const KINDS: &str = "no process, network interface, firewall rule, mount or control group";

/// What lists the firewall's rules, of both kinds that Linux has. None is there without iptables.
const FIREWALLS: [&str; 4] =
    ["iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save", "ip6tables-legacy-save"];
/// By these words a rule is one of a cluster: chains of kube-proxy and of CNI plugins, our interface, our addresses.
const OURS: [&str; 6] = ["KUBE-", "CNI-", house::INTERFACE, "198.18.77.", "10.244.0.", "10.96."];
/// Longer than a process needs to end when its cluster is gone.
const PATIENCE: Duration = Duration::from_secs(15);

/// Notes what is there before a cluster begins.
pub(crate) fn remember(place: &Place) -> anyhow::Result<()> {
    let lines: Vec<String> = now(place)?.into_iter().collect();
    fs::create_dir_all(place.run())?;
    Ok(fs::write(file(place), lines.join("\n"))?)
}

/// Refuses with all that is there now and was not before the cluster began.
pub(crate) fn none_left(place: &Place) -> anyhow::Result<()> {
    let before = fs::read_to_string(file(place)).context("what was there before the cluster")?;
    let before: BTreeSet<&str> = before.lines().collect();
    let mut left = Vec::new();
    wait::until("every trace of the cluster to be gone", PATIENCE, || {
        left = now(place)?.into_iter().filter(|trace| !before.contains(trace.as_str())).collect();
        Ok(left.is_empty().then_some(()))
    })
    .with_context(|| format!("the cluster has left on this machine:\n  {}", left.join("\n  ")))
}

fn file(place: &Place) -> PathBuf {
    place.run().join("before")
}

/// All that could be of a cluster.
fn now(place: &Place) -> anyhow::Result<BTreeSet<String>> {
    let mut found = processes(place.folder());
    if Path::new("/sys/class/net").join(house::INTERFACE).exists() {
        found.insert(format!("interface {}", house::INTERFACE));
    }
    for program in FIREWALLS {
        if let Ok(rules) = run::output(&mut Command::new(program)) {
            found.extend(marked(&rules).map(|rule| format!("{program}: {rule}")));
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    found.extend(mounts_below(&mounts, place.folder()).map(|mount| format!("mount {mount}")));
    for groups in house::hierarchies().iter().map(|hierarchy| hierarchy.join(house::PODS)) {
        if groups.exists() {
            found.insert(format!("control groups {}", groups.display()));
        }
    }
    Ok(found)
}

/// Processes whose program lies in the folder, and `serve`, which lies elsewhere.
fn processes(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
        if program.starts_with(folder) || line.contains("narrows-cluster serve") {
            found.insert(format!("process {id} {}", line.trim()));
        }
    }
    found
}

/// The lines of a firewall's list that are of a cluster, without what a chain has counted.
fn marked(rules: &str) -> impl Iterator<Item = &str> {
    let ours = |rule: &&str| !rule.starts_with('#') && OURS.iter().any(|word| rule.contains(word));
    rules.lines().filter(ours).map(|rule| rule.split(" [").next().unwrap_or(rule))
}

/// The places of mounts in the folder. The fifth word of a line is the place.
fn mounts_below<'m>(mounts: &'m str, folder: &Path) -> impl Iterator<Item = &'m str> {
    let places = mounts.lines().filter_map(|line| line.split_whitespace().nth(4));
    places.filter(move |place| Path::new(place).starts_with(folder))
}

#[cfg(test)]
mod tests {
    use narrows_harness::temp::TempDir;

    use super::*;

    #[test]
    fn a_process_is_found_by_the_place_of_its_program() {
        let folder = TempDir::new("traces").unwrap();
        let program = folder.path().join("bin/sleep");
        fs::create_dir_all(folder.path().join("bin")).unwrap();
        fs::copy("/usr/bin/sleep", &program).unwrap();
        let place = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(processes(&place), BTreeSet::new());
        let mut child = Command::new(&program).arg("60").spawn().unwrap();
        let found = wait::until("the process", PATIENCE, || {
            let found = processes(&place);
            Ok((!found.is_empty()).then_some(found))
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.unwrap().iter().all(|trace| trace.contains(&format!("process {}", child.id()))));
        assert_eq!(processes(&place), BTreeSet::new());
    }

    #[test]
    fn rules_and_mounts_of_a_cluster_are_told_from_others() {
        let rules = "# Generated for KUBE-\n*nat\n:KUBE-SERVICES - [0:0]\n-A POSTROUTING -j MASQUERADE\n\
                     -A POSTROUTING -s 10.244.0.9/32 -j CNI-8f\n-A FORWARD -i docker0 -j ACCEPT\n";
        assert_eq!(
            marked(rules).collect::<Vec<_>>(),
            [":KUBE-SERVICES -", "-A POSTROUTING -s 10.244.0.9/32 -j CNI-8f"]
        );
        let mounts = "36 35 98:0 / /tree/target/cluster/run/a rw - tmpfs tmpfs rw\n\
                      37 35 98:0 / /tree/target/clusters rw - tmpfs tmpfs rw\n";
        assert_eq!(
            mounts_below(mounts, Path::new("/tree/target/cluster")).collect::<Vec<_>>(),
            ["/tree/target/cluster/run/a"]
        );
    }
}
