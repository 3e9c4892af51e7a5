//! Wasm filters: the smallest module that Envoy loads.

use std::path::Path;

use narrows_harness::bootstrap::{
    bootstrap, cluster_route, listener, route_config, static_cluster, wasm_config, wasm_filter,
};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use serde_json::Value;

#[test]
fn a_module_is_loaded_and_configured() -> anyhow::Result<()> {
    let directory = TempDir::new("wasm")?;
    let echo = Echo::start("stock", EchoOptions::default())?;
    let config = |accepts| -> anyhow::Result<Value> {
        let module = directory.write(&format!("{accepts}.wasm"), module(accepts))?;
        let filter = wasm_filter("tiny", &module, "{}", Some("{\"strict\": true}"), "FAIL_RELOAD");
        Ok(with_filter(filter, &echo))
    };
    let envoy = Envoy::start(config(true)?, EnvoyOptions::default())?;
    assert_eq!(status(&envoy)?, 200);
    assert!(envoy.stat("wasm.envoy.wasm.runtime.v8.active")? > 0);
    let log = Envoy::validate(config(false)?).unwrap_err();
    assert!(log.contains("Unable to create Wasm plugin tiny"), "{log}");
    let log = Envoy::start_expecting_failure(config(false)?, EnvoyOptions::default())?;
    assert!(log.contains("Unable to create Wasm plugin tiny"), "{log}");
    Ok(())
}

#[test]
fn a_refused_push_keeps_the_module_before() -> anyhow::Result<()> {
    let directory = TempDir::new("wasm")?;
    let echo = Echo::start("stock", EchoOptions::default())?;
    let good = directory.write("good.wasm", module(true))?;
    let bad = directory.write("bad.wasm", module(false))?;
    let config = |module: &Path| wasm_config("tiny", module, "{}", None, "FAIL_RELOAD");

    let ecds = Ecds::new(directory.path(), "tiny")?;
    ecds.push(&config(&good))?;
    let bootstrap = with_filter(ecds.filter_entry(&[WASM]), &echo);
    let envoy = Envoy::start(bootstrap.clone(), EnvoyOptions::default())?;
    assert_eq!(status(&envoy)?, 200);
    assert!(!ecds.push_to(&envoy, &config(&bad))?);
    assert_eq!(status(&envoy)?, 200);
    assert!(ecds.push_to(&envoy, &config(&good))?);
    drop(envoy);

    ecds.push(&config(&bad))?;
    let envoy = Envoy::start(bootstrap, EnvoyOptions::default())?;
    assert_eq!(status(&envoy)?, 500, "there is none before the first");
    assert!(ecds.push_to(&envoy, &config(&good))?);
    assert_eq!(status(&envoy)?, 200);
    Ok(())
}

fn with_filter(filter: Value, echo: &Echo) -> Value {
    bootstrap(
        &[listener("http", &[filter], &route_config(&[cluster_route("stock")]))],
        &[static_cluster("stock", echo.addr(), false)],
    )
}

fn status(envoy: &Envoy) -> anyhow::Result<u16> {
    Ok(http1::exchange(envoy.listener("http")?, &Request::get("stock", "/"))?.status)
}

/// A module by hand: a memory, an allocator that always answers the same
/// address, and `proxy_on_configure`, which accepts or refuses.
fn module(accepts: bool) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    let mut section = |id: u8, content: &[u8]| {
        bytes.extend([id, u8::try_from(content.len()).expect("a tiny section")]);
        bytes.extend(content);
    };
    // Types: () -> (), (i32) -> i32, (i32, i32) -> i32.
    section(1, b"\x03\x60\0\0\x60\x01\x7f\x01\x7f\x60\x02\x7f\x7f\x01\x7f");
    section(3, b"\x03\0\x01\x02");
    section(5, b"\x01\0\x01");
    let mut exports = vec![4];
    for (name, kind, index) in
        [("memory", 2, 0), ("proxy_abi_version_0_2_1", 0, 0), ("malloc", 0, 1), ("proxy_on_configure", 0, 2)]
    {
        exports.push(u8::try_from(name.len()).expect("a short name"));
        exports.extend(name.as_bytes());
        exports.extend([kind, index]);
    }
    section(7, &exports);
    // Bodies: nothing; i32.const 1024; i32.const 0 or 1.
    section(10, &[3, 2, 0, 0x0b, 5, 0, 0x41, 0x80, 0x08, 0x0b, 4, 0, 0x41, u8::from(accepts), 0x0b]);
    bytes
}
