//! Host calls and fuel, in the stand-in for Envoy: the same numbers on every machine.

use std::collections::BTreeMap;

use narrows_tests::module;
use narrows_vm::{Exchange, Module, Outcome, Plugin, Response, Vm, VmOptions};

use narrows_tests::tags::policies;

fn load(policy: &str) -> (Vm, u32) {
    let module = Module::load(module("metric-tags")).unwrap();
    let mut vm = Vm::new(&module, VmOptions { trace: true, ..VmOptions::default() }).unwrap();
    let plugin = vm.configure(Plugin::new("narrows.tags", policy));
    assert!(plugin.accepted, "{:?}", plugin.work.logs);
    (vm, plugin.root)
}

fn serve(vm: &mut Vm, root: u32) -> Outcome {
    let exchange = Exchange::get("keycloak", "/books/42?a=b")
        .header("x-tenant", "acme")
        .state("wasm.narrows_backend", "canary");
    vm.request(root, exchange, |_| Response::ok().body("some"))
}

/// A request that meets known series makes these calls, and no others. The SDK asks for the
/// time or a map of its own in none of them.
#[test]
fn host_calls_of_the_three_policies() {
    let expected: [&[(&str, usize)]; 3] = [
        // `:path`; code and duration; two metrics.
        &[
            ("proxy_get_header_map_value", 1),
            ("proxy_get_property", 2),
            ("proxy_increment_metric", 1),
            ("proxy_record_metric", 1),
        ],
        // All headers; code, size, time and duration; three metrics.
        &[
            ("proxy_get_header_map_pairs", 1),
            ("proxy_get_property", 4),
            ("proxy_increment_metric", 2),
            ("proxy_record_metric", 1),
        ],
        // `:authority`; what the split decided; two words of filter state.
        &[("proxy_get_header_map_value", 1), ("proxy_get_property", 1), ("proxy_set_property", 2)],
    ];
    let policies = policies();
    assert_eq!(policies.len(), expected.len(), "the README shows three policies first");
    for (policy, expected) in policies.iter().zip(expected) {
        let (mut vm, root) = load(policy);
        serve(&mut vm, root);
        let known = vm.definitions();
        let outcome = serve(&mut vm, root);
        let mut calls = BTreeMap::new();
        outcome.work.calls.iter().for_each(|call| *calls.entry(call.name).or_insert(0) += 1);
        assert_eq!(calls.into_iter().collect::<Vec<_>>(), expected, "{policy}\n{:?}", outcome.work.calls);
        assert_eq!(vm.definitions(), known, "nothing is defined for a known series");
        println!("{} host calls, {} fuel", outcome.work.calls.len(), outcome.work.fuel());
    }
}

#[test]
fn no_metric_is_defined_twice() {
    let policy = &policies()[1];
    let (mut vm, mut root) = load(policy);
    for round in 0..3 {
        for number in 0..500 {
            let exchange = Exchange::get("shop", "/").header("x-tenant", format!("t{number}"));
            vm.request(root, exchange, |_| Response::ok().body("some"));
        }
        // An update makes a new root context in the same VM.
        let changed = policy.replace("\"maxSeries\": 2000", &format!("\"maxSeries\": {}", 1999 - round));
        let next = vm.configure(Plugin::new("narrows.tags", changed)).root;
        vm.remove(root);
        root = next;
    }
    let twice: Vec<_> = vm.definitions().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn a_thousand_templates_cost_what_ten_do() {
    let fuel = |count: usize| {
        let templates: Vec<String> =
            (0..count).map(|n| format!("\"/service-{n}/items/{{id}}/parts/{{part}}\"")).collect();
        let policy = format!(
            r#"{{ "trust": "mesh", "tags": {{ "operation": {{ "pathTemplates": [{}] }} }},
                 "metrics": [ {{ "name": "requests_total", "tags": [ "operation" ] }} ] }}"#,
            templates.join(",")
        );
        let (mut vm, root) = load(&policy);
        let mut request =
            |path: &str| vm.request(root, Exchange::get("shop", path), |_| Response::ok()).work.fuel();
        let path = format!("/service-{}/items/42/parts/7", count / 2);
        request(&path);
        (request(&path), request("/nothing/of/the/kind"))
    };
    let (few, many) = (fuel(10), fuel(1000));
    println!("10 templates: {few:?} fuel; 1000: {many:?}");
    assert!(many.0 * 10 <= few.0 * 13 && many.1 * 10 <= few.1 * 13, "{few:?} {many:?}");
}

/// The worst that loads: literals and variables side by side on many levels, and a path that
/// fits until its last segment.
#[test]
fn no_shape_of_templates_costs_much_more() {
    let fuel = |templates: &[String], path: &str| {
        let list: Vec<String> = templates.iter().map(|template| format!("{template:?}")).collect();
        let policy = format!(
            r#"{{ "trust": "mesh", "tags": {{ "operation": {{ "pathTemplates": [{}] }} }},
                 "metrics": [ {{ "name": "requests_total", "tags": [ "operation" ] }} ] }}"#,
            list.join(",")
        );
        let (mut vm, root) = load(&policy);
        let mut request = || vm.request(root, Exchange::get("shop", path), |_| Response::ok()).work.fuel();
        request();
        request()
    };
    // Under each first segment five levels in every combination: 64 steps, as many as may be.
    let evil = |services: usize| -> Vec<String> {
        let all = |service| {
            (0..32u32).map(move |number| {
                let tail: String =
                    (0..5).map(|bit| if number >> bit & 1 == 1 { "/{x}" } else { "/a" }).collect();
                format!("/s{service}{tail}")
            })
        };
        (0..services).flat_map(all).collect()
    };
    let plain: Vec<String> = (0..10).map(|n| format!("/s{n}/a/a/a/a/a")).collect();
    let path = "/s0/a/a/a/a/nothing/";
    let (plain, few, many) = (fuel(&plain, path), fuel(&evil(1), path), fuel(&evil(40), path));
    println!("10 plain templates: {plain} fuel; 32 of the worst: {few}; 1280: {many}");
    assert!(many * 10 <= plain * 14 && many * 10 <= few * 13, "{plain} {few} {many}");
}

#[test]
fn a_metric_may_change_its_type_in_an_update() {
    let policy = |kind: &str| {
        format!(
            r#"{{ "trust": "mesh", "metrics": [ {{ "name": "m", "type": "{kind}", "value": "duration" }} ] }}"#
        )
    };
    let (mut vm, root) = load(&policy("counter"));
    let took = |milliseconds| Exchange::get("shop", "/").took(std::time::Duration::from_millis(milliseconds));
    vm.request(root, took(3), |_| Response::ok());
    let root = vm.configure(Plugin::new("narrows.tags", policy("histogram"))).root;
    vm.request(root, took(5), |_| Response::ok());
    let metrics = &vm.proxy().metrics;
    assert_eq!((metrics.value("m"), metrics.histogram("m").map(|h| h.sum)), (Some(3), Some(5)));
}
