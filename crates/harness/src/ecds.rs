//! A filter's configuration that changes while Envoy runs.
//!
//! Istio delivers a filter by extension config discovery. A watched directory
//! is the same thing without a control plane: what is pushed there takes the
//! path of an edited `WasmPlugin`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::envoy::Envoy;
use crate::wait;

/// One discovered filter.
#[derive(Debug)]
pub struct Ecds {
    directory: PathBuf,
    filter: String,
    version: AtomicU64,
}

impl Ecds {
    /// A filter whose configuration lies in `directory`, which must exist and
    /// outlive the Envoy that watches it.
    pub fn new(directory: &Path, filter: &str) -> anyhow::Result<Self> {
        let directory = fs::canonicalize(directory)
            .with_context(|| format!("no directory {} to watch", directory.display()))?;
        Ok(Self { directory, filter: filter.to_owned(), version: AtomicU64::new(0) })
    }

    /// Publishes a typed configuration, such as [`crate::bootstrap::wasm_config`]
    /// makes; returns its version. The first one must lie there before Envoy
    /// starts.
    pub fn push(&self, typed_config: &Value) -> anyhow::Result<u64> {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        let response = json!({
            "version_info": version.to_string(),
            "resources": [{
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": self.filter,
                "typed_config": typed_config,
            }],
        });
        // Envoy looks when a file is moved into the directory, and then must
        // see all of it.
        let draft = self.directory.join(format!(".{}.draft", self.file_name()));
        let file = self.file();
        fs::write(&draft, serde_json::to_vec_pretty(&response)?)
            .and_then(|()| fs::rename(&draft, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(version)
    }

    /// Publishes a typed configuration to a running Envoy and waits for what it
    /// says: `true` if it took it and all workers have it, `false` if it keeps the
    /// one before.
    pub fn push_to(&self, envoy: &Envoy, typed_config: &Value) -> anyhow::Result<bool> {
        let count = |event| envoy.stat(&self.stat(event));
        let done = || {
            let refused = count("update_rejected")? + count("update_failure")?;
            anyhow::Ok([count("update_success")?, refused])
        };
        let [taken, refused] = done()?;
        let handed_over = count("config_reload")?;
        self.push(typed_config)?;
        let answer = wait::until("an answer to a pushed configuration", PATIENCE, || {
            let [now_taken, now_refused] = done()?;
            Ok((now_taken > taken).then_some(true).or((now_refused > refused).then_some(false)))
        });
        let answer = envoy.context(answer)?;
        if answer {
            // The main thread has taken it; this counts once every worker has.
            envoy.wait_for_stat(&self.stat("config_reload"), |count| count > handed_over)?;
        }
        Ok(answer)
    }

    /// The filter's entry in a listener. `types` are the messages that may be
    /// pushed; [`WASM`] is that of a Wasm filter.
    pub fn filter_entry(&self, types: &[&str]) -> Value {
        let urls: Vec<String> = types.iter().map(|name| format!("type.googleapis.com/{name}")).collect();
        json!({
            "name": self.filter,
            "config_discovery": {
                "config_source": {
                    "resource_api_version": "V3",
                    "initial_fetch_timeout": "0s",
                    "path_config_source": {
                        "path": self.file(),
                        "watched_directory": { "path": self.directory },
                    },
                },
                "type_urls": urls,
            },
        })
    }

    /// The name of a counter: `update_success` for each configuration that was
    /// taken, `update_rejected` for each that was refused, `update_failure` for
    /// a file that could not be read. (`config_reload` also counts a module that
    /// loads and then refuses.)
    pub fn stat(&self, event: &str) -> String {
        format!("extension_config_discovery.http_filter.{}.{event}", self.filter)
    }

    fn file(&self) -> PathBuf {
        self.directory.join(self.file_name())
    }

    /// Istio's filter names hold slashes.
    fn file_name(&self) -> String {
        format!("{}.json", self.filter.replace('/', "_"))
    }
}

/// The message that configures a Wasm filter.
pub const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

const PATIENCE: Duration = Duration::from_secs(10);
