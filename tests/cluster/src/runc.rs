//! runc, for a machine on which nobody may raise a limit.
//!
//! A container's configuration asks for an out-of-memory score below that of its parent. Without
//! `CAP_SYS_RESOURCE`, as inside of most containers and virtual machines for tests, that is refused,
//! and no container starts. There containerd runs this program under the name `runc`. It takes the
//! request out and becomes the real one.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context;
use serde_json::Value;

/// The variable that names the real runc.
pub(crate) const REAL: &str = "NARROWS_CLUSTER_RUNC";

/// The bit of `CAP_SYS_RESOURCE` in the masks of `/proc/self/status`.
const SYS_RESOURCE: u64 = 1 << 24;

/// Whether this machine needs it.
pub(crate) fn is_needed() -> anyhow::Result<bool> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.context("no capabilities in /proc/self/status")?.trim();
    Ok(u64::from_str_radix(mask, 16)? & SYS_RESOURCE == 0)
}

/// Never returns if all goes well.
pub(crate) fn become_runc(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let bundle = arguments.iter().skip_while(|argument| *argument != "--bundle").nth(1);
    if let Some(bundle) = bundle
        && let Err(e) = ask_for_less(&Path::new(bundle).join("config.json"))
    {
        eprintln!("error: {bundle}: {e:#}");
        return ExitCode::FAILURE;
    }
    let real = std::env::var_os(REAL).unwrap_or_else(|| "/usr/sbin/runc".into());
    eprintln!("error: cannot run runc: {}", Command::new(real).args(arguments).exec());
    ExitCode::FAILURE
}

fn ask_for_less(config: &Path) -> anyhow::Result<()> {
    let mut asked: Value = serde_json::from_slice(&std::fs::read(config)?)?;
    if let Some(process) = asked["process"].as_object_mut() {
        process.remove("oomScoreAdj");
        process.remove("rlimits");
    }
    Ok(std::fs::write(config, serde_json::to_vec(&asked)?)?)
}
