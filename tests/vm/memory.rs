//! What many rules take: the memory of a VM never shrinks, so its size after loading is the most that
//! it ever had.

use narrows_runners::Filter;
use narrows_vm::{Module, Plugin, Vm, VmOptions};
use serde_json::json;

/// What ten thousand rules of a host, a prefix and a header may add to a VM.
const MOST: usize = 13 * 1024 * 1024;

#[test]
fn ten_thousand_rules_take_what_they_hold_and_little_more() -> anyhow::Result<()> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let memory = |count: usize| -> anyhow::Result<usize> {
        let rule = |n: usize| {
            json!({ "name": format!("rule-{n}"), "matches": [{
                "hosts": [format!("shop-{n}.example.com")],
                "path": { "pathPrefix": format!("/api/v{n}") },
                "headers": { "x-user-group": { "exact": format!("group-{n}") } } }],
                "route": { "to": format!("version-{n}") } })
        };
        let policy = json!({ "rules": (0..count).map(rule).collect::<Vec<_>>() }).to_string();
        let mut vm = Vm::new(&module, VmOptions::default())?;
        let plugin = vm.configure(Plugin::new("narrows", &policy));
        anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
        println!("{count} rules of {} bytes: {} KiB", policy.len(), vm.memory_bytes() / 1024);
        Ok(vm.memory_bytes())
    };
    let added = memory(10_000)?.saturating_sub(memory(1)?);
    assert!(added <= MOST, "{added} bytes");
    Ok(())
}
