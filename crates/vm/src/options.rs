//! What a VM and a plugin are given when they start.

use super::abi::LogLevel;
use super::properties::Properties;
use super::proxy::Proxy;

/// What a VM is given when it starts.
#[derive(Clone, Debug)]
pub struct VmOptions {
    /// The process it belongs to. VMs with clones of one `Proxy` are workers of one Envoy.
    pub proxy: Proxy,
    /// The VM configuration, such as `{"strict": true}`.
    pub vm_configuration: Vec<u8>,
    /// What can be read everywhere: the node, its metadata.
    pub properties: Properties,
    /// The most memory it may have. Envoy's V8 gives 1 GiB.
    pub memory_limit: usize,
    /// The most fuel one callback may burn. Envoy has no such limit; a test that hangs helps nobody.
    pub fuel_limit: u64,
    /// The quietest log line that is kept; `get_log_level` answers it.
    pub log_level: LogLevel,
    /// Whether to keep what each host call was about. It costs an allocation for each.
    pub trace: bool,
}

/// A plugin configuration, as a `WasmPlugin` or a listener carries it.
#[derive(Clone, Default, Debug)]
pub struct Plugin {
    /// `plugin_name`.
    pub name: String,
    /// `plugin_root_id`.
    pub root_id: String,
    /// The configuration; Istio sends no bytes for an absent one.
    pub configuration: Vec<u8>,
}

impl Default for VmOptions {
    fn default() -> Self {
        Self {
            proxy: Proxy::default(),
            vm_configuration: Vec::new(),
            properties: Properties::new(),
            memory_limit: 1 << 30,
            fuel_limit: 10_000_000_000,
            log_level: LogLevel::Info,
            trace: false,
        }
    }
}

impl Plugin {
    /// A plugin with a configuration and no root id, which is how Istio attaches one.
    pub fn new(name: &str, configuration: impl AsRef<[u8]>) -> Self {
        Self { name: name.to_owned(), root_id: String::new(), configuration: configuration.as_ref().to_vec() }
    }
}
