//! What each request of the case files costs in instructions, beside another commit's modules.

use std::path::Path;

use narrows_cases::{File, Runner};
use narrows_runners::files;
use narrows_runners::vm::{answer, exchange};
use narrows_vm::{Module, Plugin, Vm, VmOptions, Work};

use super::figures::quantile;
use super::form::Modules;

/// One request: where it is written, and what it costs by the modules of here and of the other commit.
struct Pair {
    name: String,
    here: Price,
    other: Price,
}

/// What one request costs.
#[derive(Clone, Copy)]
struct Price {
    instructions: u64,
    /// How often Envoy called the module, and the module Envoy.
    callbacks: u64,
    calls: u64,
}

impl Pair {
    #[allow(clippy::cast_precision_loss, reason = "far below two to the power of 52")]
    fn share(&self, of: fn(&Price) -> u64) -> f64 {
        of(&self.here) as f64 / of(&self.other) as f64
    }

    fn instructions(&self) -> f64 {
        self.share(|price| price.instructions)
    }
}

/// How many of the dearest are shown.
const SHOWN: usize = 10;
/// What may be by chance, such as the length of a name.
const FORGIVEN: f64 = 1.02;

/// Prints the shares of all cases that both commits' modules take.
pub fn fuel(other: &Modules) -> anyhow::Result<()> {
    let here = Modules::here();
    let mut pairs = Vec::new();
    let mut skipped = 0;
    for file in files(None)? {
        let (ours, theirs) = (by_case(&here.dist, &file)?, by_case(&other.dist, &file)?);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => pairs.extend(ours.into_iter().zip(theirs).map(pair)),
            _ => skipped += 1,
        }
    }
    anyhow::ensure!(!pairs.is_empty(), "{} takes none of the case files' policies", other.label);
    pairs.sort_by(|a, b| b.instructions().total_cmp(&a.instructions()));
    println!(
        "{} requests, as shares of {} ({skipped} policies that it does not take, or has no module for):\n",
        pairs.len(),
        other.label
    );
    println!(
        "| | lowest | quarter | median | three quarters | highest | above {FORGIVEN} |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    row("instructions", &pairs, |price| price.instructions);
    row("callbacks", &pairs, |price| price.callbacks);
    row("host calls", &pairs, |price| price.calls);
    println!("\nThose with the highest shares of instructions:\n");
    for pair in pairs.iter().take(SHOWN) {
        let (here, other) = (pair.here.instructions, pair.other.instructions);
        println!("{:.3} {here:>9} of {other:>9}  {}", pair.instructions(), pair.name);
    }
    Ok(())
}

fn row(what: &str, pairs: &[Pair], of: fn(&Price) -> u64) {
    let shares: Vec<f64> =
        pairs.iter().map(|pair| pair.share(of)).filter(|share| share.is_finite()).collect();
    let quantiles: String = [0.0, 0.25, 0.5, 0.75, 1.0]
        .iter()
        .map(|part| format!(" {:.2} |", quantile(&shares, *part)))
        .collect();
    println!("| {what} |{quantiles} {} |", shares.iter().filter(|share| **share > FORGIVEN).count());
}

fn pair(((name, here), (_, other)): ((String, Price), (String, Price))) -> Pair {
    Pair { name, here, other }
}

/// The price of each case; nothing if the policy does not load. Each is sent twice: the first
/// request pays for what is made once.
fn by_case(dist: &Path, file: &File) -> anyhow::Result<Option<Vec<(String, Price)>>> {
    let wasm = dist.join(format!("{}.wasm", file.filter));
    if !wasm.is_file() {
        return Ok(None);
    }
    let options = VmOptions { vm_configuration: br#"{"strict": true}"#.to_vec(), ..VmOptions::default() };
    let mut vm = Vm::new(&Module::load(wasm)?, options)?;
    let plugin = vm.configure(Plugin::new("narrows", &file.policy));
    if !plugin.accepted {
        return Ok(None);
    }
    let mut prices = Vec::new();
    for case in file.cases_for(Runner::Wasm) {
        let mut send = || price(&vm.request(plugin.root, exchange(case), |_| answer(case)).work);
        send();
        prices.push((format!("{}: {}", file.label(), case.name), send()));
    }
    Ok(Some(prices))
}

fn price(work: &Work) -> Price {
    let callbacks = work.callbacks.len() as u64;
    Price { instructions: work.fuel(), callbacks, calls: work.calls.len() as u64 }
}
