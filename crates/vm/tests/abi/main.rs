//! The stand-in for Envoy answers as Envoy does. Each test runs a filter that does what its
//! configuration says, one host call a line, and reads back what the host answered.

mod agree;
mod cost;
mod headers;
mod state;
mod streams;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use narrows_vm::{Exchange, Module, Outcome, Plugin, Response, Vm, VmOptions};

/// The filter that does what its configuration says.
pub(crate) fn guest() -> Module {
    Module::load(guest_path()).expect("the guest loads")
}

/// Its `.wasm`, built once.
pub(crate) fn guest_path() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guest");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--release"])
            .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
            .arg(&target)
            .current_dir(&source)
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the guest does not build");
        target.join("wasm32-unknown-unknown/release/guest.wasm")
    })
}

pub(crate) fn vm(options: VmOptions) -> Vm {
    Vm::new(&guest(), options).expect("the guest starts")
}

/// One exchange under a script; the upstream answers 200 and, to a body, with one.
pub(crate) fn play(script: &str, exchange: Exchange) -> Outcome {
    let mut vm = vm(VmOptions::default());
    let plugin = vm.configure(Plugin::new("p", script));
    let body = if exchange.body.is_empty() { "" } else { "world" };
    vm.request(plugin.root, exchange, |_| Response::ok().body(body))
}

pub(crate) fn logs(script: &str, exchange: Exchange) -> Vec<String> {
    play(script, exchange).work.logs.into_iter().map(|line| line.text).collect()
}

pub(crate) fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome.work.logs.iter().map(|line| line.text.as_str()).collect()
}
