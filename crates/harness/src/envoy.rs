//! A real Envoy as a child process.
//!
//! Every Envoy has a directory, an admin port and (with port 0 in its
//! bootstrap) listener ports of its own, so any number run side by side. A
//! test that fails while one lives prints the end of its log.

mod admin;
mod binary;
mod log;
mod start;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::process::Process;
use crate::temp::TempDir;
use crate::wait;

use log::Log;
use start::{Attempt, Outcome};

pub use binary::{binary, minor, version};

/// How to start an Envoy.
#[derive(Clone, Debug)]
pub struct EnvoyOptions {
    /// What errors and logs call it.
    pub name: String,
    /// The number of workers.
    pub concurrency: u32,
    /// The level of the log.
    pub log_level: String,
    /// Other levels for some components: `wasm:debug,config:trace`. `main` is
    /// at `warning` unless it is named here.
    pub component_log_level: Option<String>,
    /// The admin port; 0 takes a free one.
    pub admin_port: u16,
    /// More arguments for the command line.
    pub arguments: Vec<String>,
    /// How long it may take to become ready.
    pub ready_within: Duration,
}

/// A running Envoy; it ends when dropped.
#[derive(Debug)]
pub struct Envoy {
    name: String,
    // Before the directory: it goes while the process is gone.
    process: Process,
    log: Log,
    admin: SocketAddr,
    _directory: TempDir,
}

// === impl EnvoyOptions ===

impl Default for EnvoyOptions {
    fn default() -> Self {
        Self {
            name: "envoy".to_owned(),
            concurrency: 1,
            log_level: "info".to_owned(),
            component_log_level: None,
            admin_port: 0,
            arguments: Vec::new(),
            // It compiles its modules, on a machine that others use too.
            ready_within: Duration::from_mins(1),
        }
    }
}

impl EnvoyOptions {
    /// The default options under another name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

// === impl Envoy ===

impl Envoy {
    /// Starts an Envoy and waits until it is ready.
    ///
    /// The admin interface, and a node where the bootstrap names none, are
    /// added. If it does not become ready, the error holds the end of its log.
    pub fn start(bootstrap: Value, options: EnvoyOptions) -> anyhow::Result<Self> {
        match Attempt::begin(bootstrap, options)?.finish()? {
            Outcome::Ready(envoy) => Ok(envoy),
            Outcome::Ended { status, log } => {
                let name = log.name();
                Err(log.attach(&anyhow::anyhow!("{name} ended before it was ready: {status}")))
            }
        }
    }

    /// Starts an Envoy that must refuse its bootstrap; returns its log.
    pub fn start_expecting_failure(bootstrap: Value, options: EnvoyOptions) -> anyhow::Result<String> {
        match Attempt::begin(bootstrap, options)?.finish()? {
            Outcome::Ready(envoy) => envoy.context(Err(anyhow::anyhow!(
                "{} became ready; it should have refused its bootstrap",
                envoy.name
            ))),
            Outcome::Ended { log, .. } => Ok(log.text()),
        }
    }

    /// Asks Envoy to check a bootstrap. That loads every module and runs every
    /// filter's configuration. The error is the log.
    pub fn validate(bootstrap: Value) -> Result<(), String> {
        start::validate(bootstrap).map_err(|error| format!("{error:#}"))
    }

    /// The name that it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Whether it has logged this text.
    pub fn log_contains(&self, text: &str) -> bool {
        self.log().contains(text)
    }

    /// Waits, ten seconds at most, until it has logged this text.
    pub fn wait_for_log(&self, text: &str) -> anyhow::Result<()> {
        let what = format!("{} to log {text:?}", self.name);
        self.context(wait::until(&what, PATIENCE, || Ok(self.log_contains(text).then_some(()))))
    }

    /// Adds the end of the log to an error.
    pub fn context<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.map_err(|error| self.log.attach(&error))
    }

    /// Whether the process still lives.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.exited(), Ok(None))
    }

    /// Ends it now; the log is returned.
    pub fn stop(mut self) -> String {
        self.process.stop(GRACE);
        self.log.text()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.process.stop(GRACE);
        if std::thread::panicking() {
            eprintln!("{}", self.log.tail());
        }
    }
}

const GRACE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(10);
