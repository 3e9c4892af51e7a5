//! What egress-policy has learnt belongs to the proxy: neither a push nor another VM loses it.

use std::time::Duration;

use narrows_tests::module;
use narrows_vm::{Exchange, Module, Plugin, Proxy, Response, Vm, VmOptions};

/// A policy that lets one host out, and learns the others.
fn policy(host: &str) -> String {
    format!(
        r#"{{ "rules": [{{ "name": "one", "action": "allow", "to": {{ "hosts": ["{host}"] }} }}],
              "learn": {{ "logEvery": "60s" }} }}"#
    )
}

#[test]
fn hosts_that_were_seen_outlive_a_push_and_a_vm() -> anyhow::Result<()> {
    let module = Module::load(module("egress-policy"))?;
    let proxy = Proxy::default();
    let worker = || Vm::new(&module, VmOptions { proxy: proxy.clone(), ..VmOptions::default() });
    let mut vm = worker()?;
    let first = vm.configure(Plugin::new("egress", policy("a.example")));
    let ask = |vm: &mut Vm, root, host: &str| vm.request(root, Exchange::get(host, "/"), |_| Response::ok());
    assert_eq!(ask(&mut vm, first.root, "before.example").status(), Some(403));
    // What one worker has seen is the proxy's after its tick.
    proxy.clock.advance(Duration::from_secs(5));
    vm.tick(first.root);
    let second = vm.configure(Plugin::new("egress", policy("b.example")));
    assert!(second.accepted);
    vm.remove(first.root);
    drop(vm);

    let mut vm = worker()?;
    let third = vm.configure(Plugin::new("egress", policy("b.example")));
    assert!(third.accepted);
    assert_eq!(ask(&mut vm, third.root, "after.example").status(), Some(403));
    proxy.clock.advance(Duration::from_secs(65));
    let lines: Vec<String> = vm.tick(third.root).logs.into_iter().map(|line| line.text).collect();
    let proposes = |line: &&String| line.contains("before.example") && line.contains("after.example");
    assert!(lines.iter().any(|line| proposes(&line)), "{lines:?}");
    Ok(())
}
