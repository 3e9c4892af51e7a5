//! A log that is full: the policy's limits may allow more than it has room for.

use narrows_core::limits;
use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};

/// Twelve long labels: ten thousand such series have no room.
fn policy() -> String {
    let tags: Vec<String> = (0..12)
        .map(|n| format!(r#""label{n}x": {{ "header": "x-{n}", "maxValues": 1000, "maxLength": 128 }}"#))
        .collect();
    let names: Vec<String> = (0..12).map(|n| format!(r#""label{n}x""#)).collect();
    format!(
        r#"{{ "trust": "mesh", "tags": {{ {} }}, "metrics": [ {{ "name": "wide_total", "tags": [ {} ] }} ], "limits": {{ "maxSeries": 10000 }} }}"#,
        tags.join(","),
        names.join(",")
    )
}

#[test]
fn it_says_so_once_and_is_asked_no_more() {
    let module = Module::load(module("metric-tags")).unwrap();
    let mut vm = Vm::new(&module, VmOptions { trace: true, ..VmOptions::default() }).unwrap();
    let root = vm.configure(Plugin::new("narrows.tags", policy())).root;
    let mut notes = 0;
    let mut served = 0;
    let mut serve = |vm: &mut Vm, number: usize| {
        // Few values, all of them long, in ever new combinations.
        let mut exchange = Exchange::get("shop", "/");
        let mut rest = number;
        for n in 0..12 {
            exchange = exchange.header(format!("x-{n}"), format!("{:0>128}", rest % 3));
            rest /= 3;
        }
        let work = vm.request(root, exchange, |_| Response::ok()).work;
        assert_eq!(work.trap, None);
        served += 1;
        notes += work.logs.iter().filter(|line| line.text.contains("the log of series is full")).count();
        work.calls.iter().filter(|call| call.name.contains("shared_data")).count()
    };
    let mut number = 0;
    while serve(&mut vm, number) > 0 {
        number += 1;
        assert!(number < 9_990, "it is never full");
    }
    // Whatever comes now costs what a known request costs.
    for new in number + 1..number + 50 {
        assert_eq!(serve(&mut vm, new), 0);
    }
    assert_eq!(notes, 1);
    let most = limits::SERIES_LOG_PAGES * (limits::SERIES_LOG_PAGE + 4096);
    assert!(vm.proxy().shared.bytes() < most, "{} bytes", vm.proxy().shared.bytes());
    let counted: u64 = vm
        .proxy()
        .metrics
        .snapshot()
        .iter()
        .filter(|(name, _)| name.ends_with("wide_total"))
        .map(|(_, n)| n)
        .sum();
    assert_eq!(counted, served, "all are counted");
    // Another worker, later: it reads the log, and says it too.
    let options = VmOptions { proxy: vm.proxy().clone(), ..VmOptions::default() };
    let mut later = Vm::new(&module, options).unwrap();
    let work = later.configure(Plugin::new("narrows.tags", policy())).work;
    assert!(work.logs.iter().any(|line| line.text.contains("the log of series is full")), "{:?}", work.logs);
}
