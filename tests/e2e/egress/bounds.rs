//! Costs, and what happens to a bad policy.

use std::fmt::Write;
use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, cluster_route, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_tests::{Bench, is_merged, module};
use narrows_vm::{Exchange, LogLine, Module, Plugin, Properties, Proxy, Response, Vm, VmOptions};

/// A policy of so many rules, each a host, a caller and a path of its own.
fn policy(rules: usize) -> String {
    let mut text = String::from(
        r#"{ "denyPrivateAddresses": true, "rules": [ { "name": "none", "action": "deny", "to": { "hosts": ["*.evil.example"] } }"#,
    );
    for number in 1..rules {
        let action = if number % 10 == 0 { "deny" } else { "allow" };
        _ = write!(
            text,
            r#", {{ "name": "r{number}", "action": "{action}",
                   "from": {{ "principals": ["spiffe://cluster.local/ns/shop/sa/w{number}"] }},
                   "to": {{ "hosts": ["h{number}.example", "*.h{number}.example"], "ports": [80, 443], "methods": ["GET"],
                            "paths": [ {{ "pathPrefix": "/v1/" }} ] }} }}"#
        );
    }
    text + " ] }"
}

fn fuel(policy: &str) -> Vec<u64> {
    let module = Module::load(module("egress-policy")).unwrap();
    let mut vm = Vm::new(&module, VmOptions::default()).unwrap();
    let plugin = vm.configure(Plugin::new("narrows", policy));
    assert!(plugin.accepted);
    let mut ask = |host: &str, status: u16| {
        let exchange = || {
            Exchange::get(host, "/v1/things")
                .property(&["connection", "uri_san_peer_certificate"], "spiffe://cluster.local/ns/shop/sa/w7")
        };
        // The second time everything is warm.
        vm.request(plugin.root, exchange(), |_| Response::ok());
        let outcome = vm.request(plugin.root, exchange(), |_| Response::ok());
        assert_eq!(outcome.status(), Some(status), "{host}");
        outcome.work.fuel_of("proxy_on_request_headers")
    };
    [
        ("h7.example", 200),
        ("a.h7.example", 200),
        ("nowhere.example", 403),
        ("h3.example", 403),
        ("10.0.0.1", 403),
        ("a@b", 403),
    ]
    .map(|(host, status)| ask(host, status))
    .into()
}

#[test]
fn a_thousand_rules_cost_what_ten_cost() {
    let (few, many) = (fuel(&policy(10)), fuel(&policy(1_000)));
    println!("fuel per request with 10 rules {few:?}, with 1,000 {many:?}");
    for (few, many) in few.iter().zip(&many) {
        assert!(many * 10 <= few * 13, "{few} with 10 rules, {many} with 1,000");
    }
}

/// Fuel of a request to one host, whose rules differ in `differs` alone, that the last
/// of them allows.
fn fuel_of_one_host(rules: usize, differs: &str) -> u64 {
    let letters = |number: usize| {
        let letter = |n: usize| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n % 26]);
        String::from_iter([letter(number / 676), letter(number / 26), letter(number)])
    };
    let rule = |number: usize| {
        let own = match differs {
            "principals" => format!(
                r#""from": {{ "principals": ["spiffe://cluster.local/ns/shop/sa/w{number}"] }}, "to": {{"#
            ),
            "paths" => format!(r#""to": {{ "paths": [ {{ "pathPrefix": "/{number}" }} ], "#),
            "ports" => format!(r#""to": {{ "ports": [{}], "#, 1000 + number),
            _ => format!(r#""to": {{ "methods": ["{}"], "#, letters(number)),
        };
        format!(r#"{{ "name": "r{number}", "action": "allow", {own} "hosts": ["one.example"] }} }}"#)
    };
    let last = rules - 1;
    let rules: Vec<String> = (0..rules).map(rule).collect();
    let module = Module::load(module("egress-policy")).unwrap();
    let mut vm = Vm::new(&module, VmOptions::default()).unwrap();
    let plugin = vm.configure(Plugin::new("narrows", format!(r#"{{ "rules": [{}] }}"#, rules.join(","))));
    assert!(plugin.accepted);
    let mut fuel = 0;
    // The second time everything is warm.
    for _ in 0..2 {
        let (method, path) = (letters(last), format!("/{last}"));
        let authority = format!("one.example:{}", 1000 + last);
        let asked = [(":method", &*method), (":authority", &*authority), (":path", &*path)];
        let exchange = Exchange::new(asked.into_iter().collect()).property(
            &["connection", "uri_san_peer_certificate"],
            format!("spiffe://cluster.local/ns/shop/sa/w{last}"),
        );
        let outcome = vm.request(plugin.root, exchange, |_| Response::ok());
        assert_eq!(outcome.status(), Some(200), "{differs}");
        fuel = outcome.work.fuel_of("proxy_on_request_headers");
    }
    fuel
}

#[test]
fn many_rules_for_one_host_cost_what_few_cost() {
    for differs in ["principals", "paths", "ports", "methods"] {
        let (few, many) = (fuel_of_one_host(10, differs), fuel_of_one_host(1_000, differs));
        println!("fuel per request to one host, by {differs}: {few} with 10 rules, {many} with 1,000");
        assert!(many * 10 <= few * 13, "{differs}: {few} with 10 rules, {many} with 1,000");
    }
}

#[test]
fn any_number_of_hosts_takes_a_bounded_table_and_is_told_of() {
    let module = Module::load(module("egress-policy")).unwrap();
    let proxy = Proxy::default();
    let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
    let mut vm = Vm::new(&module, options).unwrap();
    let plugin = vm.configure(Plugin::new("narrows", r#"{ "learn": { "maxHosts": 50 } }"#));
    let mut memory = 0;
    let mut told = std::collections::BTreeSet::new();
    for round in 0..8 {
        for number in 0..2_500 {
            let host = format!("h{round}-{number}.example");
            let outcome = vm.request(plugin.root, Exchange::get(&host, "/"), |_| Response::ok());
            assert_eq!(outcome.status(), Some(403));
            told.extend(named(&outcome.work.logs));
        }
        proxy.clock.advance(Duration::from_secs(5));
        told.extend(named(&vm.tick(plugin.root).logs));
        if round == 1 {
            memory = vm.memory_bytes();
        }
    }
    assert_eq!(vm.memory_bytes(), memory);
    let learnt = vm
        .definitions()
        .into_iter()
        .filter(|(name, _)| name.contains("narrows_egress_unlisted_total"))
        .count();
    // One for each host that was there first, and one for all the others.
    assert_eq!(learnt, 51);
    // Before any was forgotten a line told of it; the last are remembered for the next line.
    assert_eq!(proxy.metrics.value("narrows_egress_learn_dropped_total"), None);
    assert!(told.len() + 50 >= 8 * 2_500, "{} told", told.len());
}

/// More hosts within one minute than lines may tell of: each is told of, or counted as dropped, and the next
/// line says how many were.
#[test]
fn what_no_line_has_told_of_is_counted() {
    const HOSTS: usize = 30_000;
    let module = Module::load(module("egress-policy")).unwrap();
    let proxy = Proxy::default();
    let options = VmOptions { proxy: proxy.clone(), ..VmOptions::default() };
    let mut vm = Vm::new(&module, options).unwrap();
    let plugin = vm.configure(Plugin::new("narrows", r#"{ "learn": { "maxHosts": 50 } }"#));
    let mut told = std::collections::BTreeSet::new();
    for number in 0..HOSTS {
        let outcome =
            vm.request(plugin.root, Exchange::get(&format!("h{number}.example"), "/"), |_| Response::ok());
        assert_eq!(outcome.status(), Some(403));
        told.extend(named(&outcome.work.logs));
    }
    let dropped = proxy.metrics.value("narrows_egress_learn_dropped_total").unwrap_or_default();
    assert!(dropped > 0, "{} of {HOSTS} told", told.len());
    proxy.clock.advance(Duration::from_mins(1));
    let last = vm.tick(plugin.root).logs;
    told.extend(named(&last));
    let said = format!("; {dropped} requests to more hosts than \"maxHosts\"");
    assert!(last.iter().any(|line| line.text.contains(&said)), "{said}: {last:?}");
    assert_eq!(proxy.metrics.value("narrows_egress_learn_dropped_total"), Some(dropped));
    // Behind the last host of a line is the policy.
    told.retain(|host: &String| host.ends_with(".example"));
    assert_eq!(told.len() as u64 + dropped, HOSTS as u64);
}

/// The hosts that lines of the log tell of.
fn named(logs: &[LogLine]) -> Vec<String> {
    let hosts = |line: &str| -> Vec<String> {
        line.split(" (GET").filter_map(|before| Some(before.rsplit(' ').next()?.to_owned())).collect()
    };
    let lines = logs.iter().filter(|line| line.text.contains("unlisted destinations"));
    lines.flat_map(|line| hosts(&line.text)).collect()
}

/// What the dearest of many requests may cost, each to a host of its own: the table is read and
/// written again when a worker has seen a hundred. A thousand million a second.
const FLOOD: u64 = 25_000_000;

#[test]
fn a_flood_of_hosts_stalls_no_worker() {
    let module = Module::load(module("egress-policy")).unwrap();
    let mut vm = Vm::new(&module, VmOptions::default()).unwrap();
    let plugin = vm.configure(Plugin::new("narrows", r#"{ "learn": { "maxHosts": 1000 } }"#));
    let (mut dearest, mut all) = (0, 0);
    for number in 0..6_000 {
        let host = format!("{number}.{}", ["a".repeat(60), "b".repeat(60), "c".repeat(60)].join("."));
        let outcome = vm.request(plugin.root, Exchange::get(&host, "/"), |_| Response::ok());
        let fuel = outcome.work.fuel_of("proxy_on_request_headers");
        dearest = dearest.max(fuel);
        all += fuel;
    }
    println!("a flood of hosts: {dearest} at most, {} each", all / 6_000);
    assert!(dearest < FLOOD, "{dearest}");
}

#[test]
fn a_bad_policy_does_not_load_even_when_not_strict() {
    if is_merged() {
        return;
    }
    let bad = r#"{ "rules": [ { "name": "a", "action": "permit" } ] }"#;
    let filter = wasm_filter("narrows.egress-policy", &module("egress-policy"), bad, None, "FAIL_RELOAD");
    let routes = route_config(&[cluster_route("nowhere")]);
    let mut config = bootstrap(&[listener("main", &[filter], &routes)], &[]);
    config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
        ["validate_clusters"] = serde_json::json!(false);
    let log = Envoy::start_expecting_failure(config, EnvoyOptions::default()).unwrap();
    assert!(log.contains("error[NRW108]: rules[0].action: "), "{log}");

    // Discovered, as in Istio: closed at first; later the older policy stays.
    let bench = Bench::discovered("egress-policy", bad, None).unwrap();
    let status = || http1::exchange(bench.at, &Request::get("a.example", "/")).unwrap().status;
    assert_eq!(status(), 500);
    let good = r#"{ "rules": [ { "name": "a", "action": "allow", "to": { "hosts": ["a.example"] } } ] }"#;
    assert!(bench.push("egress-policy", good, None).unwrap());
    assert_eq!(status(), 200);
    assert!(!bench.push("egress-policy", bad, None).unwrap());
    assert_eq!(status(), 200);
}

#[test]
fn a_sidecar_knows_whose_it_is_and_what_stays_inside() {
    let module = Module::load(module("egress-policy")).unwrap();
    let policy = r#"{ "rules": [ { "name": "own", "action": "allow",
        "from": { "namespaces": ["shop"], "workloads": ["checkout"] }, "to": { "hosts": ["api.example"] } } ] }"#;
    let run = |id: &str, host: &str, cluster: &str| {
        let mut properties = Properties::default();
        properties.set(&["xds", "node", "id"], id);
        properties.set(&["xds", "node", "metadata", "NAMESPACE"], "shop");
        properties.set(&["xds", "node", "metadata", "WORKLOAD_NAME"], "checkout");
        let mut vm = Vm::new(&module, VmOptions { properties, ..VmOptions::default() }).unwrap();
        let plugin = vm.configure(Plugin::new("narrows", policy));
        let exchange = Exchange::get(host, "/")
            .header("x-envoy-retry-on", "5xx")
            .property(&["xds", "cluster_name"], cluster);
        let outcome = vm.request(plugin.root, exchange, |_| Response::ok());
        assert_eq!(outcome.work.trap, None);
        (outcome.status().unwrap(), outcome.request.get("x-envoy-retry-on").is_some())
    };
    let sidecar = "sidecar~10.0.0.2~checkout-0.shop~shop.svc.cluster.local";
    assert_eq!(run(sidecar, "api.example", "outbound|443||api.example"), (200, false));
    assert_eq!(run(sidecar, "other.example", "PassthroughCluster"), (403, true));
    assert_eq!(run(sidecar, "stock:8080", "outbound|8080||stock.shop.svc.cluster.local"), (200, true));
    assert_eq!(run(sidecar, "stock.shop.svc.cluster.local", "PassthroughCluster"), (403, true));
    // A gateway's own name is nobody's who calls through it.
    let gateway = "router~10.0.0.9~istio-egressgateway.istio-system~istio-system.svc.cluster.local";
    assert_eq!(run(gateway, "api.example", "outbound|443||api.example"), (403, true));
}
