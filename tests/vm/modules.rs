//! What is in a module: imports and size.

use std::fs;

use narrows_tests::{filters, module};
use narrows_vm::Module;

#[test]
fn a_module_imports_envoys_calls_alone_and_is_small() {
    for (filter, _) in filters() {
        let path = module(filter);
        let size = fs::metadata(&path).unwrap().len();
        assert!(size < 700_000, "{filter}.wasm has {size} bytes");
        let loaded = Module::load(&path).unwrap();
        for (from, name) in loaded.imports() {
            assert!(from == "env" && name.starts_with("proxy_"), "{filter}.wasm imports {from}.{name}");
        }
    }
}
