//! A split remembers nobody.

use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::json;

use narrows_tests::books::{CANARY, STABLE, STOCK, module, policy};

const USERS: u32 = 1_000_000;

#[test]
fn memory_is_flat_over_a_million_users() -> anyhow::Result<()> {
    let module = Module::load(module()?)?;
    let mut vm = Vm::new(&module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("canary-split", policy(20, &json!({})).to_string()));
    assert!(plugin.accepted);
    let mut warm = 0;
    for user in 0..USERS {
        let exchange = Exchange::get(STOCK, "/books").header("x-user-id", format!("user-{user}"));
        let outcome = vm.request(plugin.root, exchange, |request| {
            let is_canary = request.get(":authority").is_some_and(|host| host.starts_with(b"stock-canary"));
            Response::ok().cluster(if is_canary { CANARY } else { STABLE })
        });
        assert_eq!(outcome.work.trap, None);
        if user == 10_000 {
            warm = vm.memory_bytes();
        }
    }
    assert_eq!(vm.memory_bytes(), warm, "after {USERS} users");
    println!("{warm} bytes after 10,000 users and after {USERS}");
    Ok(())
}
