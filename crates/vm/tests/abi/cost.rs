//! What it costs: host calls, fuel, memory.

use narrows_vm::{Exchange, Module, Plugin, Response, Status, VmOptions};

use crate::{guest, vm};

#[test]
fn host_calls_are_counted_and_traced() {
    let mut vm = vm(VmOptions { trace: true, ..VmOptions::default() });
    let plugin = vm.configure(Plugin::new("p", "request: get request x-a\nrequest: property a/b.c"));
    let exchange = Exchange::get("shop", "/").header("x-a", "1");
    let work = vm.request(plugin.root, exchange, |_| Response::ok()).work;
    let calls: Vec<_> =
        work.calls.iter().map(|c| (c.name, c.status, c.returned, c.about.as_deref())).collect();
    assert_eq!(
        calls,
        [
            ("proxy_get_header_map_value", Status::Ok, Some(1), Some("x-a")),
            ("proxy_log", Status::Ok, None, None),
            ("proxy_get_property", Status::NotFound, None, Some("a.b.c")),
            ("proxy_log", Status::Ok, None, None)
        ]
    );
    assert_eq!((work.count("proxy_log"), work.fetches(), work.bytes_returned()), (2, 1, 1));
}

#[test]
fn a_module_may_ask_only_for_what_envoy_has() {
    // (module (import "wasi_snapshot_preview1" "fd_write" (func)))
    let wasi = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x23\x01\x16wasi_snapshot_preview1\x08fd_write\0\0";
    let refusal = Module::from_bytes(wasi).expect_err("a refusal").to_string();
    assert!(refusal.contains("wasi_snapshot_preview1.fd_write"), "{refusal}");
    let module = guest();
    assert!(module.imports().contains(&("env".to_owned(), "proxy_log".to_owned())));
    assert!(module.size() > 10_000);
}

#[test]
fn fuel_is_the_same_in_every_run() {
    let script =
        "request: get request x-a\nrequest: set request x-b 1\nresponse: number response/code\nlog: time";
    let run = || {
        let mut vm = vm(VmOptions::default());
        let plugin = vm.configure(Plugin::new("p", script));
        let exchange = || Exchange::get("shop", "/").header("x-a", "1");
        let outcomes: Vec<_> =
            (0..3).map(|_| vm.request(plugin.root, exchange(), |_| Response::ok())).collect();
        let fuel: Vec<_> = outcomes.into_iter().flat_map(|outcome| outcome.work.callbacks).collect();
        (plugin.work.fuel(), fuel)
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert!(first.0 > 0 && first.1.iter().all(|callback| callback.fuel > 0));
}

#[test]
fn memory_stays_flat_over_a_hundred_thousand_exchanges() {
    let mut vm = vm(VmOptions::default());
    let script = "configure: define 0 hits\nrequest: pairs request\nrequest: set request x-b 1\n\
                  request: increment 4 1\nlog: number response/code";
    let plugin = vm.configure(Plugin::new("p", script));
    let mut run = |count: u32| {
        for user in 0..count {
            let exchange = Exchange::get("shop", "/cart").header("x-user", user.to_string());
            let outcome = vm.request(plugin.root, exchange, |_| Response::ok());
            assert!(outcome.work.trap.is_none() && outcome.reached_upstream);
        }
        vm.memory_bytes()
    };
    let warm = run(1_000);
    assert_eq!(run(100_000), warm);
}
