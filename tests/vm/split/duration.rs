//! How long a request takes: from the decision to its end, on the proxy's clock.

use std::time::Duration;

use narrows_vm::{Change, Exchange, MetricChange, MetricKind, Module, Plugin, Response, Vm, VmOptions};
use serde_json::json;

use narrows_tests::books::module;

#[test]
fn a_duration_begins_with_the_decision() -> anyhow::Result<()> {
    let policy = json!({ "trust": "mesh", "splits": [{ "name": "stock", "hosts": ["stock"], "key": [{ "header": "x-user" }],
        "backends": [{ "name": "stable", "baseline": true },
                     { "name": "canary", "authority": "stock-canary", "weight": 100 }] }] });
    let mut vm = Vm::new(&Module::load(module()?)?, VmOptions::default())?;
    let configured = vm.configure(Plugin::new("canary-split", policy.to_string()));
    assert!(configured.accepted, "{:?}", configured.work.logs);
    let clock = vm.proxy().clock.clone();
    // Envoy says two seconds, with what the request waited for before the filter.
    let exchange = || Exchange::get("stock", "/").header("x-user", "u").took(Duration::from_secs(2));
    let mut seen = |later: &dyn Fn()| {
        let id = vm.open(configured.root, exchange());
        vm.forward(id, |_| Response::ok());
        later();
        vm.close(id).work.metrics
    };
    let sample = |metrics: &[MetricChange]| {
        let histogram = metrics.iter().find(|metric| metric.kind == MetricKind::Histogram);
        histogram.map(|metric| metric.change)
    };
    assert_eq!(sample(&seen(&|| clock.advance(Duration::from_millis(1_007)))), Some(Change::Sample(1_007)));
    assert_eq!(sample(&seen(&|| ())), Some(Change::Sample(0)));
    Ok(())
}
