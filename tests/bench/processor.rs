//! What a process has used, as Linux tells it.

use std::path::PathBuf;

use anyhow::Context;

/// Nanoseconds that the workers of an Envoy have run.
///
/// The scheduler counts them for each thread. (`/proc/PID/stat` has the same in hundredths of a
/// second, which would take a hundred times as many requests.)
pub(super) fn workers(pid: u32) -> anyhow::Result<u64> {
    let mut nanos = 0;
    for thread in threads(pid)? {
        nanos += ran(&std::fs::read_to_string(thread.join("schedstat"))?)?;
    }
    anyhow::ensure!(nanos > 0, "the process {pid} has no worker that ran");
    Ok(nanos)
}

/// The thread of an Envoy's only worker.
pub(super) fn worker(pid: u32) -> anyhow::Result<String> {
    let threads = threads(pid)?;
    anyhow::ensure!(threads.len() == 1, "the process {pid} has {} workers, not one", threads.len());
    let id = threads.first().and_then(|thread| thread.file_name()).context("a thread without an id")?;
    Ok(id.to_string_lossy().into_owned())
}

/// The folders of an Envoy's workers.
fn threads(pid: u32) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?.path();
        // A thread of the system may end while this looks at it.
        let Ok(name) = std::fs::read_to_string(thread.join("comm")) else { continue };
        if name.starts_with("wrk:") {
            found.push(thread);
        }
    }
    Ok(found)
}

fn ran(schedstat: &str) -> anyhow::Result<u64> {
    schedstat.split(' ').next().context("an empty schedstat")?.parse().context("a schedstat in other words")
}

/// The memory that a process holds, in KiB.
pub(super) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().context("VmRSS in other words")
}

/// How many threads waited for a processor in the last minute; a quiet machine has less than one.
pub(super) fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().unwrap_or("unknown").to_owned()
}

/// The name of the processor, and how many there are.
pub(super) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = info.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    format!("{} × {model}", models.len().max(1))
}
