//! Where the time of a request goes: in the kernel, in Envoy, or in the code that V8 made of a module.
//!
//! `perf` (Debian: `linux-perf`) samples the worker of an Envoy that has nothing but one chain.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Context;
use narrows_harness::client::Protocol;
use narrows_harness::temp::TempDir;

use super::chain::{Behind, Chain};
use super::form::Modules;
use super::ours::{self, Choice};
use super::section::{Empty, Running};
use super::{peers, processor};

/// The chains that are sampled, of each commit.
const CHAINS: [&str; 4] =
    ["header-router", "canary-split, by header", "four filters, four modules", "four filters, one plugin"];
/// Requests before, and while, it is sampled.
const WARM: u32 = 100_000;
const SAMPLED: u32 = 100_000;

/// Prints a row for each chain: microseconds of a request, by where they were spent.
pub fn profile(other: &Modules) -> anyhow::Result<()> {
    let empty = Empty::new()?;
    let of = |modules: &Modules| {
        let chains = ours::chains(modules, Choice::All).into_iter();
        chains.filter(|chain| CHAINS.iter().any(|name| chain.name == modules.named(name))).collect()
    };
    let chains: Vec<Chain> = [peers::bases(&empty.path), of(&Modules::here()), of(other)].concat();
    println!("| chain | µs | kernel | libc | Envoy | module |\n|---|---:|---:|---:|---:|---:|");
    for chain in chains {
        let name = chain.name.clone();
        let spent = spent(chain)?;
        let of = |place: &str| spent.get(place).copied().unwrap_or_default();
        let all: f64 = spent.values().sum();
        println!(
            "| {name} | {all:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            of("kernel"),
            of("libc"),
            of("envoy"),
            of("module")
        );
    }
    Ok(())
}

/// Microseconds for each request, by place.
fn spent(chain: Chain) -> anyhow::Result<BTreeMap<&'static str, f64>> {
    let running = Running::start(vec![chain], Behind::Nothing)?;
    let mut loads = running.loads(Protocol::Http1)?;
    let load = loads.first_mut().context("no chain")?;
    load.send(WARM)?;
    let pid = running.pid();
    let worker = processor::worker(pid)?;
    let directory = TempDir::new("profile")?;
    let file = directory.path().join("perf.data");
    let mut perf = Command::new("perf")
        .args(["record", "--quiet", "--event", "cpu-clock", "--freq", "2000", "--tid", &worker, "--output"])
        .arg(&file)
        .spawn()
        .context("cannot start perf; install it (Debian: apt-get install linux-perf)")?;
    let before = processor::workers(pid)?;
    let sent = load.send(SAMPLED)?;
    let nanos = processor::workers(pid)? - before;
    // It ends, and writes, when it is interrupted.
    Command::new("kill").args(["-INT", &perf.id().to_string()]).status()?;
    perf.wait()?;
    let report =
        Command::new("perf").args(["script", "--fields", "ip,dso", "--input"]).arg(&file).output()?;
    let report = String::from_utf8(report.stdout)?;
    let mut counts = BTreeMap::<_, f64>::new();
    for place in report.lines().map(place) {
        *counts.entry(place).or_default() += 1.0;
    }
    let samples: f64 = counts.values().sum();
    anyhow::ensure!(samples > 1000.0, "perf took {samples} samples, which is too few");
    #[allow(clippy::cast_precision_loss, reason = "far below two to the power of 52")]
    let all = nanos as f64 / 1e3 / f64::from(sent);
    Ok(counts.into_iter().map(|(place, count)| (place, all * count / samples)).collect())
}

/// Where an instruction is. What V8 has compiled is in memory that no file has.
fn place(sample: &str) -> &'static str {
    let file = sample.rsplit_once('(').map_or("", |(_, file)| file.trim_end_matches(')'));
    match file {
        "[kernel.kallsyms]" | "[vdso]" => "kernel",
        _ if file.ends_with("/envoy") => "envoy",
        _ if file.starts_with('/') && file.contains(".so") => "libc",
        _ => "module",
    }
}
