//! No request is dear: what a filter does for one is bounded by its bytes.
//!
//! For each kind of costly request, under the dearest policy of that kind that loads: twice the
//! bytes cost at most 2.2 times as much, and 60 kB, all that Envoy takes unless it is told
//! otherwise, stay below a ceiling. Fuel is wasmtime's count of
//! instructions, the same on every machine. `cargo test --test linear -- --nocapture` prints it;
//! `cargo test --release --test linear -- --ignored --nocapture` says how much of it a
//! millisecond of a real Envoy is.

mod calibrate;
mod egress;
mod router;
mod split;
mod tags;

use narrows_runners::Filter;
use narrows_vm::{Exchange, LogLevel, Module, Plugin, Response, Vm, VmOptions};
use serde_json::Value;

/// What 60 kB may cost, in all callbacks: less than 25 ms of one core.
///
/// Measured by [`calibrate`] on Envoy 1.40.0, one worker, two shared cores that were busy, the least
/// of three runs: 11.2 million fuel in a millisecond for tables of states, 13.0 for readings of a
/// path, 14.8 for values in order, 16.0 for quotations, 18.8 for rewriting, 27.6 for sets of bits,
/// 27.7 for texts that are written. At the least of them this is 22 ms.
pub(crate) const CEILING: u64 = 250_000_000;

/// Bytes of requests that are compared: each with the one of twice as many.
const PAIRS: [(usize, usize); 4] = [(4_000, 8_000), (8_000, 16_000), (15_000, 30_000), (30_000, 60_000)];

/// A kind of costly request.
pub(crate) struct Costly {
    pub(crate) name: &'static str,
    pub(crate) filter: &'static str,
    /// The dearest policy that loads.
    pub(crate) policy: Value,
    /// Requests of about that many bytes: the dearest of them counts.
    pub(crate) requests: fn(usize) -> Vec<Exchange>,
}

/// The fuel of the dearest of the requests of that size.
struct Prices {
    vm: Vm,
    root: u32,
    requests: fn(usize) -> Vec<Exchange>,
}

impl Prices {
    fn of(costly: &Costly) -> anyhow::Result<Self> {
        let module = Module::load(Filter::named(costly.filter)?.wasm()?)?;
        let mut vm = Vm::new(&module, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new(costly.filter, costly.policy.to_string()));
        // A first policy that is refused lets traffic pass: only the log tells.
        let is_refused = plugin.work.logs.iter().any(|line| line.level >= LogLevel::Error);
        anyhow::ensure!(plugin.accepted && !is_refused, "{}: {:?}", costly.name, plugin.work.logs);
        Ok(Self { vm, root: plugin.root, requests: costly.requests })
    }

    fn at(&mut self, bytes: usize) -> u64 {
        (self.requests)(bytes).iter().map(|exchange| self.one(exchange)).max().unwrap_or_default()
    }

    /// The fuel of one request.
    fn one(&mut self, exchange: &Exchange) -> u64 {
        // The first of a kind also pays for what is made once.
        self.vm.request(self.root, exchange.clone(), |_| Response::ok());
        let outcome = self.vm.request(self.root, exchange.clone(), |_| Response::ok());
        assert_eq!(outcome.work.trap, None);
        outcome.work.fuel()
    }
}

/// Holds a kind of request to the bounds.
pub(crate) fn is_linear(costly: &Costly) -> anyhow::Result<()> {
    let mut prices = Prices::of(costly)?;
    let mut steps = Vec::new();
    let mut shown = String::new();
    let mut most = 0;
    for (bytes, twice) in PAIRS {
        let (price, double) = (prices.at(bytes), prices.at(twice));
        shown.push_str(&format!(" {price:>9} {double:>9} ({}%)", double * 100 / price));
        // 2.2 times, in whole numbers.
        if double * 5 > price * 11 {
            steps.push(format!("{bytes} bytes cost {price}, {twice} cost {double}"));
        }
        most = most.max(double);
    }
    println!("{:44}{shown}", costly.name);
    anyhow::ensure!(steps.is_empty(), "{}: {}", costly.name, steps.join("; "));
    anyhow::ensure!(most <= CEILING, "{}: 60 kB cost {most}", costly.name);
    Ok(())
}

/// Holds kinds of requests to the bounds, and says of all of them which are not.
pub(crate) fn are_linear(kinds: &[Costly]) {
    let wrong: Vec<String> =
        kinds.iter().filter_map(|costly| is_linear(costly).err()).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A request with a path and a query.
pub(crate) fn get(target: &str) -> Exchange {
    Exchange::get("shop.example.com", target)
}

/// A text of that many bytes: `start`, then `unit` again and again, then `end`.
pub(crate) fn text(start: &str, unit: &str, end: &str, bytes: usize) -> String {
    let left = bytes.saturating_sub(start.len() + end.len());
    [start, &unit.repeat(left / unit.len()), end].concat()
}
