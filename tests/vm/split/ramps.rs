//! Ramps in many VMs of one proxy, whose clock is ours to set: what they cost, and that time never runs
//! back.

use std::time::Duration;

use narrows_core::moment;
use narrows_vm::{Exchange, Module, Outcome, Plugin, Proxy, Response, Vm, VmOptions};
use serde_json::{Value, json};

use narrows_tests::books::{CANARY, STABLE, STOCK, module, policy, series};

/// Seconds since the epoch: when the ramp begins.
const FIRST: u64 = 1_800_000_000;

/// Nobody, then everybody ten seconds later.
fn ramp() -> Value {
    let mut policy = policy(0, &json!({}));
    let canary = &mut policy["splits"][0]["backends"][1];
    canary.as_object_mut().unwrap().remove("weight");
    canary["ramp"] = json!({ "steps": [{ "at": moment::utc(FIRST), "weight": 0 },
        { "at": moment::utc(FIRST + 10), "weight": 100 }] });
    policy
}

struct Workers {
    module: Module,
    proxy: Proxy,
    vms: Vec<(Vm, u32)>,
}

impl Workers {
    fn new(count: usize, policy: &Value) -> anyhow::Result<Self> {
        let (module, proxy) = (Module::load(module()?)?, Proxy::default());
        proxy.clock.set_nanos(FIRST * 1_000_000_000);
        let mut workers = Self { module, proxy, vms: Vec::new() };
        for _ in 0..count {
            workers.add(policy)?;
        }
        Ok(workers)
    }

    fn add(&mut self, policy: &Value) -> anyhow::Result<()> {
        let options = VmOptions { proxy: self.proxy.clone(), ..VmOptions::default() };
        let mut vm = Vm::new(&self.module, options)?;
        let configured = vm.configure(Plugin::new("canary-split", policy.to_string()));
        assert!(configured.accepted, "{:?}", configured.work.logs);
        self.vms.push((vm, configured.root));
        Ok(())
    }

    fn set(&self, seconds: u64) {
        self.proxy.clock.set_nanos((FIRST + seconds) * 1_000_000_000);
    }

    fn ask(&mut self, worker: usize) -> Outcome {
        let (vm, root) = &mut self.vms[worker];
        let exchange = Exchange::get(STOCK, "/books").header("x-user-id", "user-1");
        let exchange = exchange.property(&["xds", "cluster_name"], STABLE);
        let outcome = vm.request(*root, exchange, |request| {
            let is_canary = request.get(":authority").is_some_and(|host| host.starts_with(b"stock-canary"));
            Response::ok().cluster(if is_canary { CANARY } else { STABLE })
        });
        assert_eq!(outcome.work.trap, None);
        outcome
    }

    fn is_canary(&mut self, worker: usize) -> bool {
        self.ask(worker).property_text("narrows_backend").as_deref() == Some("canary")
    }

    fn gauge(&self) -> Option<u64> {
        self.proxy.metrics.value(series("buckets").trim_start_matches("wasmcustom."))
    }
}

#[test]
fn a_clock_that_is_set_back_sends_nobody_back() -> anyhow::Result<()> {
    let mut proxy = Workers::new(3, &ramp())?;
    assert!((0..3).all(|worker| !proxy.is_canary(worker)));
    proxy.set(9);
    assert!(!proxy.is_canary(0));
    proxy.set(10);
    assert!(proxy.is_canary(0), "the others have not looked since the step");
    proxy.set(2);
    assert!((0..3).all(|worker| proxy.is_canary(worker)), "what one has seen holds for all");
    // A VM that is made afterwards: after a trap, or by a push that changes the module.
    proxy.add(&ramp())?;
    assert!(proxy.is_canary(3));
    proxy.set(0);
    assert!((0..4).all(|worker| proxy.is_canary(worker)));
    for (vm, root) in &mut proxy.vms {
        assert_eq!(vm.tick(*root).trap, None);
    }
    assert_eq!(proxy.gauge(), Some(1_000_000));
    Ok(())
}

#[test]
fn the_gauge_follows_without_a_request() -> anyhow::Result<()> {
    let mut proxy = Workers::new(2, &ramp())?;
    assert_eq!(proxy.gauge(), Some(0));
    for (second, buckets) in [(9, 0), (10, 1_000_000), (11, 1_000_000)] {
        proxy.set(second);
        for (vm, root) in &mut proxy.vms {
            assert_eq!(vm.tick_period(*root), Some(Duration::from_secs(1)));
            assert_eq!(vm.tick(*root).trap, None);
        }
        assert_eq!(proxy.gauge(), Some(buckets), "{second}");
    }
    // A policy without the ramp takes the value away.
    let [(vm, root), _] = &mut proxy.vms[..] else { panic!("two") };
    assert!(vm.configure(Plugin::new("canary-split", policy(5, &json!({})).to_string())).accepted);
    vm.remove(*root);
    assert_eq!(proxy.gauge(), Some(0));
    Ok(())
}

/// Beside a fixed weight: one look at the clock, and once a second one at what the others have seen.
#[test]
fn what_a_ramp_costs() -> anyhow::Result<()> {
    let count = |outcome: &Outcome| {
        ["proxy_get_current_time_nanoseconds", "proxy_get_shared_data", "proxy_set_shared_data"]
            .map(|call| outcome.work.count(call))
    };
    // The time is read twice for the duration, whatever the weight depends on.
    let mut fixed = Workers::new(1, &policy(0, &json!({})))?;
    fixed.ask(0);
    let mut ramped = Workers::new(2, &ramp())?;
    ramped.set(1);
    assert_eq!(count(&fixed.ask(0)), [2, 0, 0]);
    assert_eq!(count(&ramped.ask(0)), [3, 1, 1], "the first in this second says so");
    assert_eq!(count(&ramped.ask(0)), [3, 0, 0]);
    assert_eq!(count(&ramped.ask(1)), [3, 1, 0], "the other one reads it");
    assert_eq!(count(&ramped.ask(1)), [3, 0, 0]);
    ramped.set(0);
    assert_eq!(count(&ramped.ask(0)), [3, 1, 0], "set back");
    assert_eq!(count(&ramped.ask(0)), [3, 0, 0]);
    Ok(())
}
