//! What a module is, as far as an image says it.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

use crate::error::CliError;

/// A module of proxy-wasm.
#[derive(Clone, Debug)]
pub struct Module {
    bytes: Vec<u8>,
    abi: String,
    capabilities: BTreeSet<String>,
}

/// The export that names the ABI.
const ABI: &str = "proxy_abi_version_";
/// The functions that a host may allow or refuse, one by one.
const FUNCTIONS: &str = "proxy_";

impl Module {
    /// Reads a module; `name` is what an error calls it.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<Self, CliError> {
        let help = "name a module, such as dist/canary-split.wasm";
        let refuse = |what: String| CliError::new(format!("{name:?} {what}"), help);
        let mut functions = BTreeSet::new();
        for payload in Parser::new(0).parse_all(&bytes) {
            let broken =
                |e: wasmparser::BinaryReaderError| refuse(format!("is no WebAssembly: {}", e.message()));
            match payload.map_err(broken)? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        functions.insert(import.map_err(broken)?.name.to_owned());
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        functions.insert(export.map_err(broken)?.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        let abi = functions.iter().find_map(|name| name.strip_prefix(ABI)).map(|abi| abi.replace('_', "."));
        let abi = abi.ok_or_else(|| refuse("is no module of proxy-wasm: it names no ABI".to_owned()))?;
        functions.retain(|name| name.starts_with(FUNCTIONS) && !name.starts_with(ABI));
        Ok(Self { bytes, abi, capabilities: functions })
    }

    /// The module itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The version of the ABI, such as `0.2.1`.
    pub fn abi(&self) -> &str {
        &self.abi
    }

    /// The functions of the host that it calls and the callbacks that it has: what `allowed_capabilities` of
    /// an Envoy must list, so that the module runs there.
    pub fn capabilities(&self) -> String {
        self.capabilities.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }
}
