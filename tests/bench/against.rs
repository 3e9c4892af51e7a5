//! One commit's modules beside another's, in the same rounds of the same Envoy.

use super::figures::{median, quantile};
use super::form::Modules;
use super::memory::{self, Memory};
use super::rounds::Extent;
use super::section::{Section, pair};
use super::table::mebibytes;
use super::targets::{FOUR_ON_ONE, MANY_RULES, ONE_FILTER, RULES, SHARES, Target};

/// The modules of another commit.
pub fn other(label: &str, dist: &str) -> Modules {
    Modules { label: label.to_owned(), dist: dist.into() }
}

/// Measures both so many times, and prints shares beside their targets.
pub fn compare(other: &Modules, runs: u32, extent: Extent) -> anyhow::Result<()> {
    let here = Modules::here();
    if here.all_in_one().is_none() {
        eprintln!("SKIPPED: one module and one plugin, because there is no dist/narrows.wasm");
    }
    let sections = (0..runs).map(|_| pair(&here, other, extent)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("Shares of {}: the median of each run's rounds, and its quartiles.\n", other.label);
    println!(
        "| chain | of | at most |{} met |",
        (1..=runs).map(|run| format!(" run {run} |")).collect::<String>()
    );
    println!("|---|---|---:|{}---|", "---:|".repeat(runs as usize));
    for target in &SHARES {
        share(target, &sections, &other.named(target.of));
    }
    share(&MANY_RULES, &sections, MANY_RULES.of);
    println!();
    held(&memory::measure(&here)?, &memory::measure(other)?, &other.label);
    Ok(())
}

fn share(target: &Target, sections: &[Section], of: &str) {
    let shares: Option<Vec<Vec<f64>>> =
        sections.iter().map(|section| section.shares(target.chain, of)).collect();
    let Some(shares) = shares else {
        println!("| {} | {of} | {:.2} |{} SKIPPED |", target.chain, target.most, " |".repeat(sections.len()));
        return;
    };
    let shown = |run: &Vec<f64>| {
        format!(" {:.2} ({:.2} … {:.2}) |", median(run), quantile(run, 0.25), quantile(run, 0.75))
    };
    let middle = median(&shares.iter().map(|run| median(run)).collect::<Vec<_>>());
    let met = if middle <= target.most { "yes" } else { "**no**" };
    println!(
        "| {} | {of} | {:.2} |{} {met} |",
        target.chain,
        target.most,
        shares.iter().map(shown).collect::<String>()
    );
}

impl Section {
    /// Which share one chain adds of what another adds, round by round.
    pub(super) fn shares(&self, chain: &str, of: &str) -> Option<Vec<f64>> {
        let none = median(&self.row(super::peers::NONE)?.samples);
        let (ours, theirs) = (self.row(chain)?, self.row(of)?);
        Some(
            ours.samples
                .iter()
                .zip(&theirs.samples)
                .map(|(ours, theirs)| (ours - none) / (theirs - none))
                .collect(),
        )
    }
}

fn held(here: &Memory, other: &Memory, label: &str) {
    println!("| MiB | at most | here | {label} | met |\n|---|---:|---:|---:|---|");
    let two_workers = |memory: &Memory, name: &str| {
        memory.forms.iter().find(|(form, _)| form.starts_with(name)).map(|(_, held)| mebibytes(held[1]))
    };
    let rules = |memory: &Memory| Some(mebibytes(memory.rules.last()?.1 - memory.rules.first()?.1));
    let row = |what: &str, most: f64, here: Option<f64>, other: Option<f64>| {
        let shown = |held: Option<f64>| held.map_or("–".to_owned(), |held| format!("+{held:.0}"));
        let met = here.map_or("SKIPPED", |here| if here.round() <= most { "yes" } else { "**no**" });
        println!("| {what} | +{most:.0} | {} | {} | {met} |", shown(here), shown(other));
    };
    let (one, together) = (memory::ONE, memory::TOGETHER);
    row("one filter, two workers", ONE_FILTER, two_workers(here, one), two_workers(other, one));
    row(
        "four on one module, two workers",
        FOUR_ON_ONE,
        two_workers(here, together),
        two_workers(other, together),
    );
    row("10,000 rules, one worker", RULES, rules(here), rules(other));
}
