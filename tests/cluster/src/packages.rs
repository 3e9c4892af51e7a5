//! Debian's packages: downloaded by name and unpacked into the folder, so that no service of theirs
//! is installed or started on the machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::place::Place;
use crate::run;

/// What is taken from Debian, with a program of it that must be there.
const PACKAGES: [(&str, &str); 5] = [
    ("etcd-server", "usr/bin/etcd"),
    ("containerd", "usr/bin/containerd"),
    ("runc", "usr/sbin/runc"),
    ("containernetworking-plugins", "usr/lib/cni/ptp"),
    ("docker-registry", "usr/bin/docker-registry"),
];

/// Unpacks what is not there yet.
pub(crate) fn unpack(place: &Place) -> anyhow::Result<()> {
    let folder = place.packages();
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(_, program)| !folder.join(program).is_file())
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let downloads = folder.join("downloads");
    _ = fs::remove_dir_all(&downloads);
    fs::create_dir_all(&downloads)?;
    let download =
        || run::output(Command::new("apt-get").arg("download").args(&missing).current_dir(&downloads));
    // A fresh machine does not know what there is, and an old one knows what is gone.
    if download().is_err() {
        run::output(&mut run::words("apt-get update"))?;
        download().with_context(|| format!("cannot download {} from Debian", missing.join(", ")))?;
    }
    for file in fs::read_dir(&downloads)?.flatten() {
        run::output(Command::new("dpkg-deb").arg("--extract").arg(file.path()).arg(&folder))?;
    }
    fs::remove_dir_all(&downloads)?;
    for (package, program) in PACKAGES {
        anyhow::ensure!(folder.join(program).is_file(), "Debian's package {package} has no {program}");
    }
    Ok(())
}

/// A program of them.
pub(crate) fn program(place: &Place, name: &str) -> PathBuf {
    let folder = place.packages();
    let found = ["usr/bin", "usr/sbin"].iter().map(|bin| folder.join(bin).join(name));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| folder.join("usr/bin").join(name))
}
