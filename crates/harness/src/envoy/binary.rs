//! Which Envoy to run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io::Read};

use anyhow::Context;

/// The executable: what the variable `ENVOY` names, else the one that `make
/// envoy` has installed below the workspace.
pub fn binary() -> anyhow::Result<PathBuf> {
    let (path, remedy) = match std::env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        Some(path) => (PathBuf::from(path), "correct the variable ENVOY, or unset it and "),
        None => (crate::workspace().join(".venv/bin/envoy"), ""),
    };
    anyhow::ensure!(path.is_file(), "no Envoy at {}: {remedy}run make envoy", path.display());
    Ok(behind_script(&path).unwrap_or(path))
}

/// What the executable says about its version.
pub fn version() -> anyhow::Result<String> {
    let binary = binary()?;
    let output = Command::new(&binary)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The minor version of the executable: 40 of 1.40.0.
pub fn minor() -> anyhow::Result<u32> {
    let version = version()?;
    let minor = |part: &str| part.strip_prefix("1.")?.split('.').next()?.parse().ok();
    version.split('/').find_map(minor).with_context(|| format!("no version of Envoy: {version}"))
}

/// A Python package installs a script that starts Python, which becomes the
/// executable beside it. Going there at once saves Python's start.
fn behind_script(path: &Path) -> Option<PathBuf> {
    let mut start = [0; 2];
    fs::File::open(path).ok()?.read_exact(&mut start).ok()?;
    if &start != b"#!" {
        return None;
    }
    let path = fs::canonicalize(path).ok()?;
    let library = path.parent()?.parent()?.join("lib");
    let mut found: Vec<PathBuf> = fs::read_dir(library)
        .ok()?
        .flatten()
        .map(|python| python.path().join("site-packages/envoy/_bin/envoy"))
        .filter(|executable| executable.is_file())
        .collect();
    // Two Pythons in one environment: leave the choice to the script.
    (found.len() == 1).then(|| found.remove(0))
}
