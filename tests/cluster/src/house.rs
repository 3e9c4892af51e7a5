//! The house that the cluster lives in: namespaces of its own for processes, the network and mounts,
//! held by process 1 of it.
//!
//! What ends that process ends all: every daemon, every container, every mount and firewall rule of
//! theirs. The machine sees one network interface, over which it reaches the API server.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use narrows_harness::wait;

use crate::place::Place;
use crate::probe;
use crate::run;
use crate::step::step;
use crate::traces;

/// The node's name.
pub(crate) const NODE: &str = "narrows";
/// Its address: of a block that is set aside for trials of network equipment.
pub(crate) const NODE_ADDRESS: &str = "198.18.77.2";
/// Where the machine reaches it.
pub(crate) const HOST: &str = NODE_ADDRESS;
/// The machine's side of the link.
const OUTSIDE: &str = "198.18.77.1";
/// The machine's interface.
pub(crate) const INTERFACE: &str = "narrows0";
/// Where the kubelet keeps the control groups of pods, below each hierarchy.
pub(crate) const PODS: &str = "kubepods";

/// Longer than the kernel needs to take namespaces apart.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens a house, and starts `narrows-cluster serve` as its process 1.
pub(crate) fn open(place: &Place) -> anyhow::Result<()> {
    fs::create_dir_all(place.log())?;
    let log = fs::File::create(place.log().join("serve"))?;
    let mut command = Command::new("unshare");
    command
        .args(probe::NAMESPACES)
        .args(["--propagation", "private", "--"])
        .arg(std::env::current_exe()?)
        .arg("serve")
        .env("NARROWS_ROOT", &place.root)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // The end of the user's terminal is not the cluster's.
        .process_group(0);
    let outer = command.spawn().context("cannot run unshare")?.id();
    let first = wait::until("process 1 of the cluster", PATIENCE, || Ok(child_of(outer)))?;
    fs::write(id_file(place), first.to_string())?;
    link(first)
}

/// The process of the machine that is the house's process 1, if it runs.
pub(crate) fn holder(place: &Place) -> Option<u32> {
    let id: u32 = fs::read_to_string(id_file(place)).ok()?.trim().parse().ok()?;
    // Ids are used again.
    let line = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    String::from_utf8_lossy(&line).contains("narrows-cluster").then_some(id)
}

/// What it has said last, for an error.
pub(crate) fn last_words(place: &Place) -> String {
    fs::read_to_string(place.log().join("serve")).unwrap_or_default()
}

/// Ends the cluster and removes what it has written; what was built stays.
pub(crate) fn down(place: &Place) -> anyhow::Result<()> {
    let Some(id) = holder(place) else {
        println!("no cluster runs");
        return remove(place);
    };
    step("ending every process of the cluster", || close(place))?;
    step("looking for what it has left", || traces::none_left(place))?;
    remove(place)?;
    println!("ended the cluster, process {id}; nothing is left of it: {}", traces::KINDS);
    Ok(())
}

/// Ends it; what its programs have said stays.
pub(crate) fn close(place: &Place) -> anyhow::Result<()> {
    if let Some(id) = holder(place) {
        // Process 1 of a namespace hears no other signal, and the kernel ends the rest with it.
        run::output(Command::new("kill").args(["-KILL", &id.to_string()]))?;
        wait::until("the end of the cluster", PATIENCE, || Ok(holder(place).is_none().then_some(())))?;
    }
    let interface = Path::new("/sys/class/net").join(INTERFACE);
    wait::until("the end of its network", PATIENCE, || Ok((!interface.exists()).then_some(())))?;
    for hierarchy in hierarchies() {
        wait::until("the end of its control groups", PATIENCE, || {
            let pods = hierarchy.join(PODS);
            // A process that ends leaves its group a moment later.
            Ok((!pods.exists() || remove_groups(&pods).is_ok()).then_some(()))
        })?;
    }
    Ok(())
}

/// What would be mistaken for this cluster's, and mixed up with it.
pub(crate) fn occupied() -> anyhow::Result<()> {
    ensure!(
        !Path::new("/sys/class/net").join(INTERFACE).exists(),
        "there is a network interface {INTERFACE}: another narrows-cluster runs on this machine; end it in its own tree"
    );
    let routes = run::output(&mut run::words(&format!("ip route show to match {NODE_ADDRESS}")))?;
    if let Some(route) = routes.lines().find(|route| !route.starts_with("default")) {
        bail!("the cluster's link needs {OUTSIDE}/30, and this machine has a route for it: {route}");
    }
    if let Some(hierarchy) = hierarchies().into_iter().find(|hierarchy| hierarchy.join(PODS).exists()) {
        bail!("there is {}: another kubelet runs on this machine", hierarchy.join(PODS).display());
    }
    Ok(())
}

fn remove(place: &Place) -> anyhow::Result<()> {
    for path in [place.run(), place.kubeconfig()] {
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(e) = gone
            && e.kind() != std::io::ErrorKind::NotFound
        {
            return Err(e).with_context(|| format!("cannot remove {}", path.display()));
        }
    }
    Ok(())
}

fn id_file(place: &Place) -> std::path::PathBuf {
    place.run().join("id")
}

/// `unshare` has one child. It is another program at first.
fn child_of(id: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    let child: u32 = children.split_whitespace().next()?.parse().ok()?;
    let line = fs::read(format!("/proc/{child}/cmdline")).ok()?;
    String::from_utf8_lossy(&line).contains("narrows-cluster\0serve").then_some(child)
}

/// The link between the machine and the house. The kernel takes it away with the house.
fn link(first: u32) -> anyhow::Result<()> {
    for line in [
        format!("ip link add {INTERFACE} type veth peer name eth0 netns {first}"),
        format!("ip address add {OUTSIDE}/30 dev {INTERFACE}"),
        format!("ip link set {INTERFACE} up"),
    ] {
        run::output(&mut run::words(&line))?;
    }
    Ok(())
}

/// The other end of the link, from inside.
pub(crate) fn link_from_inside() -> anyhow::Result<()> {
    wait::until("the link to the machine", PATIENCE, || {
        Ok(run::output(&mut run::words("ip link show eth0")).is_ok().then_some(()))
    })?;
    for line in [
        "ip link set lo up".to_owned(),
        format!("ip address add {NODE_ADDRESS}/30 dev eth0"),
        "ip link set eth0 up".to_owned(),
        format!("ip route add default via {OUTSIDE}"),
    ] {
        run::output(&mut run::words(&line))?;
    }
    Ok(())
}

/// The hierarchies of control groups: one, or one for each controller.
pub(crate) fn hierarchies() -> Vec<std::path::PathBuf> {
    let top = Path::new("/sys/fs/cgroup");
    let mut all = vec![top.to_owned()];
    if !top.join("cgroup.controllers").exists() {
        all.extend(fs::read_dir(top).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    all
}

fn remove_groups(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}
