//! What each request of the case files costs in instructions, beside another commit's modules.

use std::path::Path;

use narrows_cases::{File, Runner};
use narrows_runners::files;
use narrows_runners::vm::{answer, exchange};
use narrows_vm::{Module, Plugin, Vm, VmOptions};

use super::figures::{median, quantile};
use super::form::Modules;

/// One request: where it is written, and its instructions by the modules of here and of the other commit.
struct Pair {
    name: String,
    here: u64,
    other: u64,
}

impl Pair {
    #[allow(clippy::cast_precision_loss, reason = "far below two to the power of 52")]
    fn share(&self) -> f64 {
        self.here as f64 / self.other as f64
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
    pairs.sort_by(|a, b| b.share().total_cmp(&a.share()));
    let shares: Vec<f64> = pairs.iter().map(Pair::share).collect();
    println!(
        "Instructions of {} requests, as shares of {} ({skipped} policies that it does not take, or has no module for):",
        pairs.len(),
        other.label
    );
    println!(
        "lowest {:.2}, quarter {:.2}, median {:.2}, three quarters {:.2}, highest {:.2}; above {FORGIVEN}: {}\n",
        quantile(&shares, 0.0),
        quantile(&shares, 0.25),
        median(&shares),
        quantile(&shares, 0.75),
        quantile(&shares, 1.0),
        shares.iter().filter(|share| **share > FORGIVEN).count()
    );
    for pair in pairs.iter().take(SHOWN) {
        println!("{:.3} {:>9} of {:>9}  {}", pair.share(), pair.here, pair.other, pair.name);
    }
    Ok(())
}

fn pair(((name, here), (_, other)): ((String, u64), (String, u64))) -> Pair {
    Pair { name, here, other }
}

/// The instructions of each case; nothing if the policy does not load. Each is sent twice: the first
/// request pays for what is made once.
fn by_case(dist: &Path, file: &File) -> anyhow::Result<Option<Vec<(String, u64)>>> {
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
    let mut fuel = Vec::new();
    for case in file.cases_for(Runner::Wasm) {
        let mut send = || vm.request(plugin.root, exchange(case), |_| answer(case)).work.fuel();
        send();
        fuel.push((format!("{}: {}", file.label(), case.name), send()));
    }
    Ok(Some(fuel))
}
