//! Process 1 of the cluster: starts the daemons, takes in orphans, and ends with the first that ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use narrows_harness::wait;
use rustix::process::WaitOptions;

use crate::daemons::{self, Daemon};
use crate::house;
use crate::place::Place;
use crate::run;

/// For what one daemon waits for of another.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a kubelet wants of the kernel. It writes that into files of ours: the machine is not its own.
const WANTED: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Runs the cluster until somebody ends this process.
pub(crate) fn serve(place: &Place) -> anyhow::Result<()> {
    anyhow::ensure!(std::process::id() == 1, "serve is for process 1 of a cluster: use make cluster");
    furnish(place)?;
    house::link_from_inside()?;
    let mut running = BTreeMap::new();
    for daemon in daemons::all(place)? {
        let id = start(place, &daemon)?;
        running.insert(id, daemon.name);
        wait::until(&format!("{} to be ready", daemon.name), PATIENCE, || {
            Ok((daemon.is_ready)(place).then_some(()))
        })
        .with_context(|| tail(place, daemon.name))?;
        println!("{} runs", daemon.name);
    }
    loop {
        let Some((ended, status)) = rustix::process::wait(WaitOptions::empty())? else { continue };
        if let Some(name) = running.get(&ended.as_raw_nonzero().get()) {
            bail!("{name} has ended ({status:?}):\n{}", tail(place, name));
        }
    }
}

/// Mounts that are the house's own, so that nothing is written elsewhere on the machine.
fn furnish(place: &Place) -> anyhow::Result<()> {
    for path in ["/run", "/var"] {
        run::output(&mut run::words(&format!("mount -t tmpfs -o mode=755 tmpfs {path}")))?;
    }
    std::os::unix::fs::symlink("/run", "/var/run")?;
    let settings = place.run().join("sysctl");
    fs::create_dir_all(&settings)?;
    for (name, value) in WANTED {
        let (ours, theirs) = (settings.join(name.replace('/', ".")), Path::new("/proc/sys").join(name));
        fs::write(&ours, value)?;
        run::output(Command::new("mount").arg("--bind").arg(ours).arg(theirs))?;
    }
    Ok(fs::write("/proc/sys/net/ipv4/ip_forward", "1")?)
}

fn start(place: &Place, daemon: &Daemon) -> anyhow::Result<i32> {
    let log = File::create(place.log().join(daemon.name))?;
    let child = Command::new(&daemon.program)
        .args(&daemon.arguments)
        .envs(daemon.environment.iter().cloned())
        .current_dir(place.run())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot run {}", daemon.program.display()))?;
    Ok(i32::try_from(child.id())?)
}

/// The last that a daemon has said.
fn tail(place: &Place, name: &str) -> String {
    let said = fs::read(place.log().join(name)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}
