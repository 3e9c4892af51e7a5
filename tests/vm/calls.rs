//! Host calls: none that a request does not need.

use narrows_runners::Filter;
use narrows_vm::{Exchange, Module, Outcome, Plugin, Response, Vm, VmOptions};

const WRITES: [&str; 3] =
    ["proxy_replace_header_map_value", "proxy_add_header_map_value", "proxy_remove_header_map_value"];

fn run(policy: &str, exchange: Exchange) -> anyhow::Result<Outcome> {
    let module = Module::load(Filter::named("header-router")?.wasm()?)?;
    let mut vm = Vm::new(&module, VmOptions::default())?;
    let plugin = vm.configure(Plugin::new("narrows", policy));
    anyhow::ensure!(plugin.accepted, "{:?}", plugin.work.logs);
    Ok(vm.request(plugin.root, exchange, |_| Response::ok().header("x-internal-a", "1")))
}

fn writes(outcome: &Outcome) -> usize {
    WRITES.iter().map(|import| outcome.work.count(import)).sum()
}

#[test]
fn what_is_there_already_is_not_written_nor_removed_what_is_not() -> anyhow::Result<()> {
    let policy = r#"{ "rules": [{ "name": "r", "requestHeaders": {
        "set": { "x-lane": "beta" }, "remove": ["x-absent", "x-none-*"] } }] }"#;
    let get = || Exchange::get("shop", "/");
    assert_eq!(writes(&run(policy, get().header("x-lane", "beta"))?), 0);
    assert_eq!(writes(&run(policy, get().header("x-lane", "alpha"))?), 1);
    assert_eq!(writes(&run(policy, get().header("x-lane", "beta").header("x-lane", "beta"))?), 1);
    assert_eq!(writes(&run(policy, get().header("x-lane", "beta").header("x_absent", "1"))?), 1);
    Ok(())
}

#[test]
fn only_a_wildcard_reads_the_response() -> anyhow::Result<()> {
    let maps = |remove: &str| -> anyhow::Result<usize> {
        let policy =
            format!(r#"{{ "rules": [{{ "name": "r", "responseHeaders": {{ "remove": ["{remove}"] }} }}] }}"#);
        let outcome = run(&policy, Exchange::get("shop", "/"))?;
        assert_eq!(outcome.response.as_ref().and_then(|r| r.text("x-internal-a")), None, "{remove}");
        Ok(outcome.work.count("proxy_get_header_map_pairs"))
    };
    // The request's, and then the response's.
    assert_eq!(maps("x-internal-a")?, 1);
    assert_eq!(maps("x-internal-*")?, 2);
    Ok(())
}

#[test]
fn trailers_that_are_not_there_cost_nothing() -> anyhow::Result<()> {
    let policy = r#"{ "strip": ["x-internal-*"] }"#;
    let get = || Exchange::get("shop", "/").body("body");
    let without = run(policy, get())?;
    let mut with = get();
    with.trailers.add(b"x-internal-user", b"root");
    with.trailers.add(b"x-checksum", b"1");
    let with = run(policy, with)?;
    assert_eq!(without.work.count("proxy_get_header_map_pairs"), 1);
    assert_eq!(with.work.count("proxy_get_header_map_pairs"), 2);
    assert_eq!(writes(&without), 0);
    assert_eq!(writes(&with), 1);
    Ok(())
}
