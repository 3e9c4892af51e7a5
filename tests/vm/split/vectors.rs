//! The `.wasm` itself, against the vectors of an independent implementation.

use narrows_harness::workspace;
use narrows_vm::{Exchange, Module, Plugin, Response, Vm, VmOptions};
use serde_json::Value;

use narrows_tests::books::module;

#[test]
fn the_module_gives_the_backends_of_the_vectors() -> anyhow::Result<()> {
    let file = workspace().join("filters/canary-split/vectors.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let users: Vec<Vec<u8>> = list(&vectors["users"]).iter().map(bytes).collect();
    let mut vm = Vm::new(&Module::load(module()?)?, VmOptions::default())?;
    let mut compared = 0;
    for row in list(&vectors["policies"]) {
        let plugin = vm.configure(Plugin::new("canary-split", row["policy"].to_string()));
        assert!(plugin.accepted, "{}: {:?}", row["name"], plugin.work.logs);
        for (split, backends) in row["backends"].as_object().expect("a table") {
            for (user, backend) in users.iter().zip(list(backends)) {
                let exchange = Exchange::get(&format!("{split}.test"), "/").header("x-user-id", user);
                let outcome = vm.request(plugin.root, exchange, |_| Response::ok());
                let found = outcome.property_text("narrows_backend");
                assert_eq!(found.as_deref(), backend.as_str(), "{} {split} {user:?}", row["name"]);
                compared += 1;
            }
        }
        assert_eq!(vm.remove(plugin.root).work.trap, None);
    }
    assert!(compared > 2_000, "{compared} are too few to prove anything");
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hex");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}
