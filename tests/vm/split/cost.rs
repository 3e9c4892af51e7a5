//! What a split costs must not follow the number of splits. Fuel is wasmtime's count of
//! instructions: the same on every machine.

use std::time::Duration;

use narrows_core::limits::ROLLBACKS;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::{Value, json};

use narrows_tests::books::module;

const FEW: usize = 10;
/// As many as a policy may have.
const MANY: usize = 1_000;
/// What loading them may cost: at a thousand million a second, less than one.
const LOAD: u64 = 700_000_000;
/// What looking after them may cost, once a second.
const TICK: u64 = 10_000_000;

#[test]
fn a_thousand_splits_cost_what_ten_cost() -> anyhow::Result<()> {
    let [few, many] = [Price::of(FEW)?, Price::of(MANY)?];
    for (what, few, many) in [
        ("a request of the baseline", few.baseline, many.baseline),
        ("a request of a canary", few.canary, many.canary),
        ("a request of no split", few.other, many.other),
    ] {
        println!("{what}: {few} fuel among {FEW} splits, {many} among {MANY}");
        assert!(many * 2 < few * 3, "{what}: {few} fuel among {FEW} splits, {many} among {MANY}");
    }
    println!("loading {FEW} splits: {} fuel, {MANY}: {}; a tick: {}", few.load, many.load, many.tick);
    assert!(many.load < LOAD, "loading {MANY} splits: {} fuel", many.load);
    assert!(many.tick < TICK, "a tick of {MANY} splits: {} fuel", many.tick);
    Ok(())
}

struct Price {
    load: u64,
    tick: u64,
    baseline: u64,
    canary: u64,
    other: u64,
}

impl Price {
    fn of(splits: usize) -> anyhow::Result<Self> {
        let mut vm = Vm::new(&Module::load(module()?)?, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new("canary-split", policy(splits).to_string()));
        assert!(plugin.accepted, "{:?}", plugin.work.logs);
        let last = format!("s{}.shop", splits - 1);
        let mut ask = |host: &str, choice: &str| {
            let exchange = Exchange::get(host, "/").header("x-canary", choice).header("x-user-id", "u");
            let outcome = vm.request(plugin.root, exchange, |headers| {
                let is_canary = headers.get(b"x-narrows-route").is_some();
                Response::ok().cluster(if is_canary { "canary" } else { "stable" })
            });
            assert_eq!(outcome.work.trap, None);
            outcome.work.fuel()
        };
        // Once to warm up.
        ask(&last, "always");
        let (canary, baseline) = (ask(&last, "always"), ask(&last, "never"));
        let other = ask("other.shop", "never");
        let tick = vm.tick(plugin.root).fuel();
        Ok(Self { load: plugin.work.fuel(), tick, baseline, canary, other })
    }
}

fn policy(splits: usize) -> Value {
    let split = |n: usize| {
        json!({
            "name": format!("s{n}"),
            "service": format!("s{n}.shop"),
            "key": [{ "header": "x-user-id" }],
            "override": { "header": "x-canary" },
            "backends": [
                { "name": "stable", "baseline": true },
                { "name": "canary", "to": format!("s{n}-canary"), "weight": 10, "maxWeight": 50 },
            ],
        })
    };
    json!({ "trust": "mesh", "splits": (0..splits).map(split).collect::<Vec<_>>() })
}

/// As many as may have a rollback. Each has a table of its own, which grows with its traffic: here all of
/// them have some in the same second.
#[test]
fn all_rollbacks_are_looked_after_in_a_tick() -> anyhow::Result<()> {
    let judged = |splits: usize| {
        let mut policy = policy(splits);
        for split in policy["splits"].as_array_mut().into_iter().flatten() {
            split["rollback"] = json!({ "latency": "enforce", "clientErrors": "enforce" });
        }
        Plugin::new("canary-split", policy.to_string())
    };
    let module = Module::load(module()?)?;
    let refused = Vm::new(&module, VmOptions::default())?.configure(judged(ROLLBACKS + 1));
    let lines: Vec<_> = refused.work.logs.iter().map(|line| &*line.text).collect();
    assert!(lines.concat().contains("splits[200].rollback: more than 200 canaries"), "{lines:?}");

    let mut vm = Vm::new(&module, VmOptions::default())?;
    let plugin = vm.configure(judged(ROLLBACKS));
    assert!(plugin.accepted, "{:?}", plugin.work.logs);
    let clock = vm.proxy().clock.clone();
    let second = |vm: &mut Vm| {
        clock.advance(Duration::from_secs(1));
        vm.tick(plugin.root).fuel()
    };
    let (idle, mut most) = (second(&mut vm), 0);
    for round in 0..4 {
        for (split, user) in (0..ROLLBACKS).flat_map(|split| (0..4).map(move |user| (split, user))) {
            let choice = if user % 2 == 0 { "always" } else { "never" };
            let exchange = Exchange::get(&format!("s{split}.shop"), "/").header("x-canary", choice);
            let exchange = exchange.header("x-user-id", format!("u{user}-{round}"));
            let outcome = vm.request(plugin.root, exchange, |_| Response::status(503).cluster("stable"));
            assert_eq!(outcome.work.trap, None);
        }
        most = most.max(second(&mut vm));
    }
    println!("{ROLLBACKS} rollbacks: an idle tick {idle} fuel, the dearest {most}");
    assert!(2 * most < 5 * TICK, "a tick of {ROLLBACKS} rollbacks: {most} fuel");
    Ok(())
}
