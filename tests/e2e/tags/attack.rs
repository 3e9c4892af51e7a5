//! A million tenants, paths and hosts: few series, flat memory, nothing uncounted.

use std::net::SocketAddr;

use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http2::Connection;
use narrows_harness::message::Request;
use narrows_harness::prometheus::Sample;
use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Proxy, Response, Vm, VmOptions};

use super::{answering, settle, stats_tags};

const POLICY: &str = r#"{ "trust": "mesh",
    "tags": { "tenant": { "header": "x-tenant", "maxValues": 200, "maxLength": 32 }, "host": { "host": true, "maxValues": 200 },
              "operation": { "pathTemplates": [ "/{user}/orders" ] }, "code": { "statusClass": true } },
    "metrics": [ { "name": "attack_total", "tags": [ "tenant", "host", "operation", "code" ] } ],
    "limits": { "maxSeries": 150 } }"#;

/// In the stand-in for Envoy, two workers and a million requests.
#[test]
fn a_million_requests_on_two_workers() {
    let module = Module::load(module("metric-tags")).unwrap();
    let proxy = Proxy::default();
    let mut workers: Vec<(Vm, u32)> = (0..2)
        .map(|_| {
            let mut vm =
                Vm::new(&module, VmOptions { proxy: proxy.clone(), ..VmOptions::default() }).unwrap();
            let root = vm.configure(Plugin::new("narrows.tags", POLICY)).root;
            (vm, root)
        })
        .collect();
    let mut serve = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            let (vm, root) = &mut workers[usize::try_from(number % 2).unwrap()];
            // Every one its own, and one in ten a known tenant.
            let tenant = if number % 10 == 0 { "acme".to_owned() } else { format!("t{number}") };
            let exchange =
                Exchange::get(&format!("h{number}"), &format!("/{number}/orders")).header("x-tenant", tenant);
            let outcome = vm.request(*root, exchange, |_| Response::ok());
            assert_eq!(outcome.work.trap, None);
        }
        workers.iter().map(|(vm, _)| vm.memory_bytes()).collect::<Vec<_>>()
    };
    let warm = serve(0..20_000);
    let shared = proxy.shared.bytes();
    assert_eq!(serve(20_000..1_000_000), warm, "memory");
    assert_eq!(proxy.shared.bytes(), shared, "shared data");
    let counted: Vec<(String, u64)> =
        proxy.metrics.snapshot().into_iter().filter(|(name, _)| name.ends_with("attack_total")).collect();
    assert!(counted.len() <= 150, "{} series", counted.len());
    assert_eq!(counted.iter().map(|(_, value)| value).sum::<u64>(), 1_000_000);
    assert!(
        workers.iter().all(|(vm, _)| vm.definitions().values().all(|times| *times == 1)),
        "defined twice"
    );
}

/// On a real Envoy with two workers, a million requests too.
#[test]
fn a_million_requests_on_a_real_envoy() -> anyhow::Result<()> {
    let options = EnvoyOptions { concurrency: 2, ..EnvoyOptions::named("attack") };
    let envoy = Envoy::start(answering(POLICY, &stats_tags(POLICY)), options)?;
    let address = envoy.listener("main")?;
    let mut held = Vec::new();
    for quarter in 0..4 {
        flood(address, quarter * QUARTER, (quarter + 1) * QUARTER)?;
        settle(&envoy, "attack_total", f64::from((quarter + 1) * QUARTER))?;
        held.push(resident(&envoy)?);
    }
    let samples: Vec<Sample> =
        envoy.prometheus()?.into_iter().filter(|sample| sample.name == "attack_total").collect();
    let sum: f64 = samples.iter().map(|sample| sample.value).sum();
    println!("{} series, sum {sum}, kB resident after each quarter: {held:?}", samples.len());
    assert!(samples.len() <= 150, "{} series", samples.len());
    assert_eq!(sum, f64::from(4 * QUARTER), "not all are counted");
    // An entry that Envoy keeps for a metric that is defined again has 36 bytes: one for each
    // request would be 18 MB in the second half. The allocator moves by a few MB where other
    // tests leave it little time.
    let half = u64::from(2 * QUARTER);
    let grown = held[3].saturating_sub(held[1]) * 1024;
    assert!(grown < LEAK * half, "{grown} bytes more after {half} requests: {held:?} kB");
    Ok(())
}

const QUARTER: u32 = 250_000;
/// Bytes for each request that would be a leak.
const LEAK: u64 = 24;

/// Four connections at once, a hundred requests at a time on each.
fn flood(address: SocketAddr, from: u32, to: u32) -> anyhow::Result<()> {
    let share = |part: u32| from + (to - from) / 4 * part + if part == 4 { (to - from) % 4 } else { 0 };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|part| scope.spawn(move || stream(address, share(part), share(part + 1)))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a client"))
    })
}

fn stream(address: SocketAddr, from: u32, to: u32) -> anyhow::Result<()> {
    let mut client = Connection::connect(address)?;
    let mut next = from;
    while next < to {
        let end = (next + 100).min(to);
        let request = |number: u32| {
            Request::get(&format!("h{number}"), &format!("/{number}/orders"))
                .header("x-tenant", format!("t{number}"))
        };
        let requests: Vec<Request> = (next..end).map(request).collect();
        let answers = client.exchange_all(&requests)?;
        anyhow::ensure!(answers.iter().all(|answer| answer.status == 200), "a request failed");
        next = end;
    }
    Ok(())
}

/// Kilobytes of memory that the process holds.
fn resident(envoy: &Envoy) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", envoy.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| anyhow::anyhow!("no VmRSS"))
}
