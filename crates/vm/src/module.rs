//! A filter's `.wasm`, compiled once and kept for every VM that the tests make of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use wasmtime::{Config, Engine, InstancePre, Linker};

use super::host::Host;
use super::imports;

/// A compiled module, checked to ask of its host only what Envoy offers. Clones are cheap.
#[derive(Clone)]
pub struct Module(Arc<Compiled>);

struct Compiled {
    start: InstancePre<Host>,
    imports: Vec<(String, String)>,
    size: usize,
}

impl Module {
    /// Reads and compiles a `.wasm`; the same bytes are compiled once per process.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_bytes(&bytes).with_context(|| format!("cannot load {}", path.display()))
    }

    /// Compiles a `.wasm` from memory; the same bytes are compiled once per process.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        static CACHE: OnceLock<Mutex<HashMap<Vec<u8>, Module>>> = OnceLock::new();
        let cache = CACHE.get_or_init(Mutex::default);
        // Held while compiling, so that tests that start together compile once.
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = cache.get(bytes) {
            return Ok(module.clone());
        }
        let module = Self::compile(bytes)?;
        cache.insert(bytes.to_vec(), module.clone());
        Ok(module)
    }

    /// What the module asks of its host: module and name, in the order of its import section.
    pub fn imports(&self) -> &[(String, String)] {
        &self.0.imports
    }

    /// What the module exports: Envoy calls those of these names that it knows.
    pub fn exports(&self) -> Vec<String> {
        self.0.start.module().exports().map(|export| export.name().to_owned()).collect()
    }

    /// The size of the `.wasm` in bytes.
    pub fn size(&self) -> usize {
        self.0.size
    }

    pub(super) fn start(&self) -> &InstancePre<Host> {
        &self.0.start
    }

    fn compile(bytes: &[u8]) -> Result<Self> {
        let engine = engine()?;
        let module = wasmtime::Module::new(&engine, bytes).map_err(plain)?;
        let mut linker = Linker::new(&engine);
        imports::link(&mut linker).map_err(plain)?;
        let known: Vec<_> = linker
            .iter(&mut wasmtime::Store::new(&engine, Host::empty()))
            .map(|(_, n, _)| n.to_owned())
            .collect();
        let mut imports = Vec::new();
        for import in module.imports() {
            let (from, name) = (import.module(), import.name());
            if from != "env" || !known.iter().any(|known| known == name) {
                bail!("it imports {from}.{name}, which is not a call of the proxy-wasm 0.2.1 ABI");
            }
            imports.push((from.to_owned(), name.to_owned()));
        }
        if !VERSIONS.iter().any(|version| module.get_export(version).is_some()) {
            bail!("it exports none of {VERSIONS:?}, so Envoy would not take it for a filter");
        }
        let start = linker.instantiate_pre(&module).map_err(plain)?;
        Ok(Self(Arc::new(Compiled { start, imports, size: bytes.len() })))
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("size", &self.0.size).finish_non_exhaustive()
    }
}

/// A wasmtime error with its causes; wasmtime's own type is not a `std::error::Error`.
#[allow(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.consume_fuel(true);
    Engine::new(&config).map_err(plain)
}

/// The versions of the ABI that Envoy drives the way the stand-in does.
const VERSIONS: [&str; 2] = ["proxy_abi_version_0_2_1", "proxy_abi_version_0_2_0"];
