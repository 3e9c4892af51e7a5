//! `docs/costs.md` and its picture.

use narrows_harness::{envoy, root};

use super::form::Modules;
use super::load::TOGETHER;
use super::memory;
use super::picture;
use super::processor;
use super::rounds::Extent;
use super::section::{CALLS, Section, sections};
use super::table;

/// Measures everything and writes it down.
pub fn write(extent: Extent) -> anyhow::Result<()> {
    let modules = Modules::here();
    let skipped = modules.all_in_one().is_none();
    if skipped {
        eprintln!("{SKIPPED}");
    }
    let load = processor::load();
    let memory = memory::measure(&modules)?;
    let sections = sections(&modules, extent)?;
    let mut text = head(extent, &load)?;
    if skipped {
        text.push_str(&format!("**{SKIPPED}**\n\n"));
    }
    for section in &sections {
        let table =
            if section.title == CALLS { table::of_calls(section) } else { table::of_section(section) };
        text.push_str(&format!("## {}\n\n{table}\n", section.title));
    }
    text.push_str(&format!("## What the others do less\n\n{}\n", notes(&sections)));
    text.push_str(&format!(
        "## Memory\n\n{}\n{}\n{MEMORY}",
        table::of_memory(&memory),
        table::of_rules(&memory)
    ));
    text.push_str(TAIL);
    std::fs::write(root().join("docs/costs.md"), &text)?;
    if let Some(first) = sections.first() {
        std::fs::write(root().join("docs/costs.svg"), picture::svg(first, LONGEST))?;
    }
    println!("{text}");
    Ok(())
}

/// The notes of all sections, each once.
fn notes(sections: &[Section]) -> String {
    let mut seen: Vec<String> = Vec::new();
    for line in sections
        .iter()
        .flat_map(|section| table::notes(section).lines().map(str::to_owned).collect::<Vec<_>>())
    {
        if !seen.contains(&line) {
            seen.push(line);
        }
    }
    seen.join("\n") + "\n"
}

fn head(extent: Extent, load: &str) -> anyhow::Result<String> {
    let version = envoy::version()?;
    let version = version.rsplit("version: ").next().unwrap_or(&version).to_owned();
    Ok(format!(
        "# What Narrows costs\n\n\
         `make bench` measures this and writes it here: do not edit. Every figure is processor time or memory of a real Envoy.\n\n\
         ![a bar for each chain](costs.svg)\n\n\
         * Machine: {}. Before this began, its load was {load}: a quiet machine has less than 1, and a busy one makes the figures larger.\n\
         * Envoy: {version}.\n\
         * All chains of a section are listeners of one Envoy with one worker. In each of {} rounds (half as many in the sections\n  \
           after the first) each chain gets {} requests, {TOGETHER} at a time, in another order each time, after {} requests of\n  \
           its own: V8 compiles for speed what is called often. A request has ten headers.\n\n\
         {HOW}\n",
        processor::machine(),
        extent.rounds,
        extent.requests,
        extent.warm,
    ))
}

const SKIPPED: &str =
    "Not measured: the filters on one module and in one plugin, because there is no `dist/narrows.wasm`.";

/// Longer bars are cut, or the others would be too short to read.
const LONGEST: f64 = 120.0;

const HOW: &str = "\
**How to read it.** \"Adds\" is what a chain takes more than a chain without a filter: the lower quartile of the rounds, because a busy
machine only ever adds. \"Lowest … median\" is the spread of the rounds: if it is wide, the machine was busy. Compare figures of one table
only. Another machine gives other microseconds, but about the same multiples of the empty filter. The empty filter is a module that exports
what a filter must and returns at once (`tests/bench/empty.wat`): it is what Envoy charges for calling any Wasm filter.

**What is not measured.** Latency: a request waits for more than the processor. TLS. Bodies: no filter reads one. What V8 does in other
threads: compiling. The client and the application: their time is not the worker's. The first requests after a start, which run slower until
V8 has compiled the filter for speed.
";

const MEMORY: &str = "\
This is resident memory after some requests, the lower of two Envoys. \"Ready after\" is wall time from the start of the process. The
first Wasm filter of a process brings V8, whatever it does.

";

const TAIL: &str = "\
## Against another commit

`make bench AGAINST=REF` builds the modules of another commit and measures both in one Envoy. It prints which share of the other's
microseconds each chain takes, and compares that with the targets in `tests/bench/targets.rs`. `RUNS=3` measures three times.
[Where the cost goes](where-the-cost-goes.md) has what came of it, and a profile.

What a request costs in counts, which no machine disturbs, is in `tests/vm/budgets.txt`, and a test keeps it.
";
