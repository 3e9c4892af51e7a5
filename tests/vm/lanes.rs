//! Lanes across the workers of a proxy, second by second: who finds what, and what it costs.

mod resized;
mod secret;
mod served;

use std::time::Duration;

use narrows_tests::module;
use narrows_vm::{Exchange, Headers, Module, Outcome, Plugin, Proxy, Response, Vm, VmOptions};

const POLICY: &str =
    r#"{ "trust": "mesh", "lane": { "header": "x-lane", "values": ["gray", "dev-*"] }, "ttl": "10s" }"#;

/// The workers of one proxy.
struct Workers {
    proxy: Proxy,
    vms: Vec<(Vm, u32)>,
}

impl Workers {
    fn new(count: usize, policy: &str) -> anyhow::Result<Self> {
        Self::of(Proxy::default(), count, policy)
    }

    /// Some workers of this proxy.
    fn of(proxy: Proxy, count: usize, policy: &str) -> anyhow::Result<Self> {
        let module = Module::load(module("traffic-lanes"))?;
        let vm = |_| {
            let mut vm = Vm::new(&module, VmOptions { proxy: proxy.clone(), ..VmOptions::default() })?;
            let plugin = vm.configure(Plugin::new("lanes", policy));
            anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
            Ok((vm, plugin.root))
        };
        let vms = (0..count).map(vm).collect::<anyhow::Result<_>>()?;
        Ok(Self { proxy, vms })
    }

    fn send(&mut self, worker: usize, direction: i64, headers: &[(&str, &str)]) -> Outcome {
        let (vm, root) = &mut self.vms[worker];
        let mut exchange = Exchange::get("orders", "/");
        for (name, value) in headers {
            exchange = exchange.header(*name, *value);
        }
        exchange.properties.set(&["xds", "listener_direction"], direction);
        let outcome = vm.request(*root, exchange, |_| Response::ok());
        assert_eq!(outcome.work.trap, None);
        outcome
    }

    fn comes_in(&mut self, worker: usize, headers: &[(&str, &str)]) -> Outcome {
        self.send(worker, 1, headers)
    }

    /// The lane of a call.
    fn goes_out(&mut self, worker: usize, headers: &[(&str, &str)]) -> Option<String> {
        lane(&self.send(worker, 2, headers).request)
    }

    /// Time passes, second by second, with each worker's tick.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.proxy.clock.advance(Duration::from_secs(1));
            for (vm, root) in &mut self.vms {
                assert_eq!(vm.tick(*root).trap, None);
            }
        }
    }

    fn count(&self, name: &str) -> u64 {
        let all = self.proxy.metrics.snapshot();
        all.iter().filter(|(known, _)| known.ends_with(name)).map(|(_, value)| *value).sum()
    }
}

fn lane(headers: &Headers) -> Option<String> {
    headers.text("x-lane")
}

const GRAY: [(&str, &str); 2] = [("x-lane", "gray"), ("x-request-id", "1")];
const CALL: [(&str, &str); 1] = [("x-request-id", "1")];

#[test]
fn a_lane_that_came_in_on_another_worker_is_found_at_once() -> anyhow::Result<()> {
    let mut workers = Workers::new(3, POLICY)?;
    for (vm, root) in &workers.vms {
        assert_eq!(vm.tick_period(*root), Some(Duration::from_secs(1)));
    }
    // All have heard that nothing is remembered, and no tick tells them otherwise.
    workers.pass(2);
    assert_eq!(workers.goes_out(1, &CALL), None);
    workers.comes_in(0, &GRAY);
    assert_eq!(workers.goes_out(1, &CALL).as_deref(), Some("gray"));
    assert_eq!(workers.goes_out(2, &CALL).as_deref(), Some("gray"));
    assert_eq!(workers.goes_out(0, &CALL).as_deref(), Some("gray"));
    // And the absence of one is remembered on every worker.
    workers.comes_in(2, &[("x-request-id", "2")]);
    workers.comes_in(1, &[("x-lane", "gray"), ("x-request-id", "2")]);
    assert_eq!(workers.goes_out(0, &[("x-request-id", "2")]), None);
    assert_eq!(
        (workers.count("narrows_lanes_shared_total"), workers.count("narrows_lanes_missing_total")),
        (1, 0)
    );
    Ok(())
}

#[test]
fn a_lane_is_forgotten_and_the_flag_goes_down() -> anyhow::Result<()> {
    let mut workers = Workers::new(2, POLICY)?;
    workers.comes_in(0, &GRAY);
    workers.pass(9);
    assert_eq!(workers.goes_out(1, &CALL).as_deref(), Some("gray"));
    workers.pass(2);
    assert_eq!(workers.goes_out(1, &CALL), None, "ten seconds after its request");
    assert_eq!(workers.count("narrows_lanes_missing_total"), 1);
    workers.pass(20);
    assert_eq!(workers.goes_out(1, &CALL), None);
    assert_eq!(workers.count("narrows_lanes_missing_total"), 1, "nothing was looked up");
    assert_eq!(workers.proxy.shared.get("narrows.lanes-up.traffic-lanes").unwrap().0, b"");
    // And up again.
    workers.comes_in(1, &GRAY);
    assert_eq!(workers.goes_out(0, &CALL).as_deref(), Some("gray"));
    Ok(())
}

/// What is asked of the host while nothing is remembered, and while something is.
#[test]
fn nothing_is_looked_up_while_no_lane_is_remembered() -> anyhow::Result<()> {
    let mut workers = Workers::new(1, POLICY)?;
    workers.send(0, 2, &CALL);
    let calls = |outcome: &Outcome| {
        let of = |name: &str| outcome.work.count(name);
        let others = ["proxy_get_property", "proxy_get_header_map_pairs"].map(of);
        (others, of("proxy_get_shared_data"), of("proxy_set_shared_data"), outcome.work.calls.len())
    };
    // The direction, and the flag.
    let idle = workers.send(0, 2, &CALL);
    println!("idle, out: {} fuel, {:?}", idle.work.fuel(), calls(&idle));
    assert_eq!(calls(&idle), ([1, 0], 1, 0, 2));
    // The direction, the headers and the flag; nothing was remembered, so nothing is at its end.
    let bare = workers.send(0, 1, &CALL);
    println!("idle, in: {} fuel, {:?}", bare.work.fuel(), calls(&bare));
    assert_eq!(calls(&bare), ([1, 1], 1, 0, 3));
    workers.send(0, 1, &GRAY);
    let noted = workers.send(0, 1, &[("x-lane", "gray"), ("x-request-id", "9"), ("b3", "abc-1")]);
    println!("in, two ids: {} fuel, {:?}", noted.work.fuel(), calls(&noted));
    // For each id the shard is read and written, at the beginning and at the end.
    assert_eq!((calls(&noted).1, calls(&noted).2), (4, 4));
    let restored = workers.send(0, 2, &[("x-request-id", "9"), ("b3", "abc-1")]);
    println!("out, two ids: {} fuel, {:?}", restored.work.fuel(), calls(&restored));
    assert_eq!(lane(&restored.request).as_deref(), Some("gray"));
    // Each shard is read, and the first counts a use.
    assert_eq!((calls(&restored).1, calls(&restored).2), (2, 1));
    Ok(())
}

#[test]
fn a_million_traces_stay_within_the_table() -> anyhow::Result<()> {
    let policy = POLICY.replace("\"ttl\": \"10s\"", "\"ttl\": \"1h\", \"maxTraces\": 2000");
    let mut workers = Workers::new(2, &policy)?;
    let serve = |workers: &mut Workers, numbers: std::ops::Range<u64>| {
        for number in numbers {
            let (id, lane) = (format!("{number}"), format!("dev-{}", number % 50));
            workers.comes_in((number % 2) as usize, &[("x-lane", &lane), ("x-request-id", &id)]);
        }
        let memory: Vec<_> = workers.vms.iter().map(|(vm, _)| vm.memory_bytes()).collect();
        (memory, workers.proxy.shared.keys().len())
    };
    let warm = serve(&mut workers, 0..20_000);
    assert_eq!(serve(&mut workers, 20_000..200_000), warm);
    // Thirty bytes and the lane for each, and the names of the shards.
    assert!(
        workers.proxy.shared.bytes() < 2_000 * (30 + 6) + 64 * 40 + 1_000,
        "{}",
        workers.proxy.shared.bytes()
    );
    assert!(workers.count("narrows_lanes_evicted_total") > 190_000);
    Ok(())
}

/// A worker that is replaced, a policy that is pushed: what is remembered stays.
#[test]
fn a_push_forgets_nothing() -> anyhow::Result<()> {
    let mut workers = Workers::new(2, POLICY)?;
    workers.comes_in(0, &GRAY);
    let pushed = POLICY.replace("10s", "20s");
    for (vm, root) in &mut workers.vms {
        let plugin = vm.configure(Plugin::new("lanes", &pushed));
        assert!(plugin.accepted);
        *root = plugin.root;
    }
    assert_eq!(workers.goes_out(1, &CALL).as_deref(), Some("gray"));
    // A lane that the policy lists no more is none.
    for (vm, root) in &mut workers.vms {
        *root = vm.configure(Plugin::new("lanes", pushed.replace("gray", "blue"))).root;
    }
    assert_eq!(workers.goes_out(1, &CALL), None);
    Ok(())
}

/// Whatever stands in the headers that carry ids and lanes, on either side.
#[test]
fn no_bytes_stop_it() -> anyhow::Result<()> {
    let mut workers = Workers::new(1, POLICY)?;
    workers.comes_in(0, &GRAY);
    let names = ["x-lane", "traceparent", "b3", "x-b3-traceid", "x-request-id"];
    let long = vec![b'a'; 60_000];
    // What HTTP forbids in a value, Envoy refuses before any filter.
    let bytes = (0..=255u8).filter(|byte| ![b'\0', b'\r', b'\n'].contains(byte));
    let values: Vec<Vec<u8>> = bytes
        .flat_map(|byte| [vec![byte], vec![b'-', byte, b'-'], vec![byte; 16], vec![byte; 36]])
        .chain([long, Vec::new(), b"-".to_vec(), b"--".to_vec(), b"00-".to_vec(), vec![b'-'; 5_000]])
        .collect();
    let (vm, root) = &mut workers.vms[0];
    for (name, value) in names.iter().flat_map(|name| values.iter().map(move |value| (name, value))) {
        for direction in [1_i64, 2] {
            let mut exchange = Exchange::get("orders", "/").header(*name, value).header(*name, value);
            exchange = exchange.header(*name, b"other");
            exchange.properties.set(&["xds", "listener_direction"], direction);
            let outcome = vm.request(*root, exchange, |_| Response::ok());
            assert_eq!(outcome.work.trap, None, "{name}: {value:?}");
            assert_eq!(outcome.hazards.len(), 0, "{name}: {value:?}: {:?}", outcome.hazards);
        }
    }
    assert_eq!(workers.goes_out(0, &CALL).as_deref(), Some("gray"));
    Ok(())
}

/// The whole memory is broken, and the next request is served.
#[test]
fn broken_shared_data_does_no_harm() -> anyhow::Result<()> {
    let mut workers = Workers::new(1, POLICY)?;
    workers.comes_in(0, &GRAY);
    let keys: Vec<_> =
        workers.proxy.shared.keys().into_iter().filter(|key| key.starts_with(b"narrows.lanes")).collect();
    assert!(keys.len() >= 3, "{keys:?}");
    for junk in [&b"\xff"[..], &[0xff; 1_000], &[0; 1_000], b"\x01\x02\x03\x04\x05\x06\x07\x08"] {
        for key in &keys {
            workers.proxy.shared.set(key, junk, 0).unwrap();
        }
        workers.goes_out(0, &CALL);
        workers.pass(1);
        workers.goes_out(0, &CALL);
        workers.comes_in(0, &GRAY);
        workers.pass(1);
    }
    Ok(())
}
