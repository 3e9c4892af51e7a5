//! Whatever a client sends, a decision costs no more than its bytes, with thousands of rules.
//!
//! Each shape of request makes as many rules as it can look as if they matched, and has none match:
//! so that all of them must be tried. Fuel is wasmtime's count of instructions, the same everywhere.

mod shapes;

use narrows_runners::Filter;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::{Value, json};

/// Fuel for a request of 60 kB: what the dearest of these take, which sort ten thousand values of one
/// parameter by their ends. Most take a third of it or less.
const CEILING: u64 = 200_000_000;
/// Rules of a policy.
const RULES: usize = 5_000;
/// Rules that look at every value of a parameter, of which there may be no more; and those for the
/// lines of a header, of which Envoy takes a hundred unless it is told otherwise.
const EACH: usize = narrows_core::limits::EACH;

/// Bytes of requests that are compared: each with the one of twice as many.
const PAIRS: [(usize, usize); 4] = [(4_000, 8_000), (7_500, 15_000), (15_000, 30_000), (30_000, 60_000)];

/// A policy, and a request of about as many bytes as are asked for.
struct Shape {
    name: &'static str,
    filter: &'static str,
    policy: fn() -> Value,
    request: fn(usize) -> Exchange,
}

fn rules(count: usize, condition: impl Fn(usize) -> Value) -> Value {
    let rule =
        |n: usize| json!({ "name": format!("r{n}"), "matches": [condition(n)], "route": { "to": "v3" } });
    json!({ "rules": (0..count).map(rule).collect::<Vec<_>>() })
}

/// Pieces, joined, of about so many bytes.
fn pieces(bytes: usize, separator: &str, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for n in 0.. {
        let next = piece(n);
        if text.len() + next.len() > bytes {
            break;
        }
        text.push_str(&next);
        text.push_str(separator);
    }
    text
}

fn get(target: &str) -> Exchange {
    Exchange::get("shop.example.com", target)
}

#[test]
fn a_request_costs_its_length() -> anyhow::Result<()> {
    let only = std::env::var("NARROWS_SHAPE").unwrap_or_default();
    let mut wrong = Vec::new();
    for Shape { name, filter, policy, request } in
        shapes::SHAPES.iter().filter(|shape| shape.name.contains(&only))
    {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        let mut vm = Vm::new(&module, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new("narrows", policy().to_string()));
        let logs = plugin.work.logs;
        anyhow::ensure!(logs.iter().any(|log| log.text.contains("policy loaded")), "{name}: {logs:?}");
        let mut price = |bytes: usize| -> anyhow::Result<u64> {
            let outcome = vm.request(plugin.root, request(bytes), |_| Response::ok());
            anyhow::ensure!(outcome.work.trap.is_none(), "{name}: {:?}", outcome.work.trap);
            Ok(outcome.work.fuel_of("proxy_on_request_headers"))
        };
        // The first request also pays for what is made once.
        price(60_000)?;
        let mut most = 0;
        let mut shown = String::new();
        for (bytes, twice) in PAIRS {
            let (once, double) = (price(bytes)?, price(twice)?);
            shown.push_str(&format!(" {once:>9} {double:>9} ({}%)", double * 100 / once));
            // 2.3 times, in whole numbers: what a request says is sorted, and to sort twice as much takes
            // a little more than twice as long.
            if double * 10 > once * 23 {
                wrong.push(format!("{name}: {bytes} bytes cost {once}, {twice} cost {double}"));
            }
            most = most.max(double);
        }
        println!("{filter:14} {name:70}{shown}");
        if most > CEILING {
            wrong.push(format!("{name}: {most}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
