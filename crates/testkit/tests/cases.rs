//! Every case file, in every runner.
//!
//! `CASES=part-of-a-path` runs only the files whose path contains it.

use narrows_testkit::case::{self, File, module, native, proxy};
use narrows_testkit::wasm::Module;

#[test]
fn the_core_does_what_the_cases_say() {
    agree(native::run);
}

#[test]
fn the_wasm_does_what_the_cases_say() {
    agree(|file| module::run(file, &Module::load(file.filter.wasm()?)?));
}

#[test]
fn envoy_does_what_the_cases_say() {
    agree(|file| proxy::run(file, &file.filter.wasm()?));
}

fn agree(run: impl Fn(&File) -> anyhow::Result<Vec<String>>) {
    let only = std::env::var("CASES").ok();
    let files = case::files(only.as_deref()).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(!files.is_empty(), "no case file is called {only:?}");
    let mut wrong = Vec::new();
    for file in &files {
        match run(file) {
            Ok(disagreements) => wrong.extend(disagreements),
            Err(error) => wrong.push(format!("{}: {error:#}", file.label())),
        }
    }
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}
