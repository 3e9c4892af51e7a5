//! What a request costs must follow the request, not the number of rules.
//!
//! Fuel is wasmtime's count of instructions: the same on every machine, so these are tests on
//! counts and not on clocks. `cargo test --locked --workspace --test vm -- fuel --nocapture` prints them.

mod shapes;

use narrows_runners::Filter;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::{Value, json};

use shapes::{SHAPES, Shape, TRIED, get};

/// What finding the last of many rules may cost more than the last of few: many rules cut a value at
/// more lengths than few, at most at every length up to 64 (7,400 instructions were measured).
const FIND: u64 = 8_000;
/// The same for ranges of numbers: many rules have blocks of more sizes, and a number is looked for once
/// in each size (18,500 instructions were measured).
const FIND_NUMBER: u64 = 20_000;
/// The shapes whose rules have ranges of many sizes.
const RANGES: [&str; 1] = ["below a number"];
const FEW: usize = 10;
const MANY: usize = 10_000;
/// What loading ten thousand rules may cost: at a thousand million a second, well under 2 s.
const LOAD: u64 = 1_000_000_000;

/// What ten thousand rules may hold, in every worker.
const MEMORY: usize = 40 * 1024 * 1024;

/// Regular expressions that a policy may have.
const EXPRESSIONS: usize = narrows_core::limits::REGEXES;
/// What trying one of them may cost.
const EACH: u64 = 2_000;

#[test]
fn the_last_of_ten_thousand_rules_costs_what_the_last_of_ten_does() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let few = measure(&module, shape, FEW)?;
        let many = measure(&module, shape, MANY)?;
        println!(
            "{:34} {:>8} {:>8} {:>5}%  load {:>11}  memory {:>5} KiB",
            shape.name,
            few.decide,
            many.decide,
            many.decide * 100 / few.decide,
            many.load,
            many.memory / 1024,
        );
        let more = if RANGES.contains(&shape.name) { FIND_NUMBER } else { FIND };
        if many.decide >= few.decide + more {
            wrong.push(format!("{}: {} instead of {}", shape.name, many.decide, few.decide));
        }
        if many.memory > MEMORY {
            wrong.push(format!("{}: {} bytes of memory", shape.name, many.memory));
        }
        if many.load > LOAD {
            wrong.push(format!("{}: loading costs {}", shape.name, many.load));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_must_be_tried_is_tried_cheaply() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    for shape in TRIED {
        let many = measure(&module, shape, EXPRESSIONS)?;
        println!("{:20} {:>8} for each rule", shape.name, many.decide / EXPRESSIONS as u64);
        assert!(many.decide < EACH * EXPRESSIONS as u64, "{}: {}", shape.name, many.decide);
    }
    Ok(())
}

#[test]
fn a_host_full_of_dots_costs_its_length() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let price = |host: &str| -> anyhow::Result<u64> {
        let rules: Vec<Value> = (0..10)
            .map(|n| json!({ "name": format!("r{n}"), "matches": [{ "hosts": [format!("*.h{n}.example.com")] }] }))
            .collect();
        let mut vm = Vm::new(&module, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new("narrows", json!({ "rules": rules }).to_string()));
        anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
        let outcome = vm.request(plugin.root, Exchange::get(host, "/"), |_| Response::ok());
        Ok(outcome.work.fuel_of("proxy_on_request_headers"))
    };
    let (dots, letters) = (price(&".".repeat(58_000))?, price(&"a".repeat(58_000))?);
    println!("58,000 dots {dots}, letters {letters}");
    assert!(dots < letters * 2, "{dots} instead of {letters}");
    Ok(())
}

#[test]
fn a_long_value_costs_its_length() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    // Texts that stand within each other, in a value in which each ends at every byte.
    let rule = |n: usize| json!({ "name": format!("r{n}"), "matches": [{ "headers": { "x-user": { "contains": "a".repeat(n + 1) } }, "method": { "exact": "PUT" } }] });
    let policy = json!({ "rules": (0..1_000).map(rule).collect::<Vec<_>>() });
    let mut vm = Vm::new(&module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("narrows", policy.to_string()));
    anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
    let mut price = |length: usize| {
        let exchange = get("/").header("x-user", "a".repeat(length));
        vm.request(plugin.root, exchange, |_| Response::ok()).work.fuel_of("proxy_on_request_headers")
    };
    let (short, long) = (price(5_000), price(50_000));
    println!("a thousand texts in 5,000 bytes {short}, in 50,000 {long}");
    assert!(long < short * 11, "{long} instead of {short}");
    Ok(())
}

/// The price of a policy with a number of rules.
struct Price {
    load: u64,
    decide: u64,
    memory: usize,
}

fn measure(module: &Module, shape: &Shape, rules: usize) -> anyhow::Result<Price> {
    let last = rules - 1;
    let rule = |n: usize| {
        // The last of those that only say what must not be there has none of it.
        let matches = (shape.rule)(n);
        let matches = if n == last && matches.get("withoutHeaders").is_some() { json!({}) } else { matches };
        json!({ "name": format!("r{n}"), "matches": [matches], "route": { "to": "v2" } })
    };
    let policy = json!({ "rules": (0..rules).map(rule).collect::<Vec<_>>() });
    let mut vm = Vm::new(module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("narrows", policy.to_string()));
    anyhow::ensure!(plugin.accepted, "{}: {:?}", shape.name, plugin.work.logs);
    let mut decide = 0;
    // The first request also pays for what is made once.
    for _ in 0..2 {
        let outcome = vm.request(plugin.root, (shape.request)(last), |_| Response::ok());
        let rule = outcome.property_text("narrows_rule");
        anyhow::ensure!(rule == Some(format!("r{last}")), "{}: matched {rule:?}", shape.name);
        decide = outcome.work.fuel_of("proxy_on_request_headers");
    }
    Ok(Price { load: plugin.work.fuel(), decide, memory: vm.memory_bytes() })
}
