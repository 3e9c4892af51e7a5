//! From a bootstrap to a process that is ready, or to the reason why not.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::process::Process;
use crate::temp::TempDir;
use crate::wait;

use super::log::Log;
use super::{Envoy, EnvoyOptions, admin, binary};

/// A process that is not ready yet.
pub(super) struct Attempt {
    name: String,
    process: Process,
    log: Log,
    directory: TempDir,
    ready_within: Duration,
}

pub(super) enum Outcome {
    Ready(Envoy),
    Ended { status: ExitStatus, log: Log },
}

// === impl Attempt ===

impl Attempt {
    pub(super) fn begin(mut bootstrap: Value, options: EnvoyOptions) -> anyhow::Result<Self> {
        let directory = TempDir::new(&options.name)?;
        complete(&mut bootstrap, options.admin_port)?;
        let mut command = command(&directory, &bootstrap)?;
        // Hot restart needs a number that no other Envoy of this machine uses, and
        // shared memory. Without it they cannot get in each other's way.
        if !options.arguments.iter().any(|argument| argument == "--base-id") {
            command.arg("--disable-hot-restart");
        }
        command
            .arg("--admin-address-path")
            .arg(directory.path().join(ADMIN_ADDRESS))
            .args(["--concurrency", &options.concurrency.to_string()])
            .args(["--log-level", &options.log_level])
            .args(&options.arguments);
        let mut levels = options.component_log_level.unwrap_or_default();
        if !levels.split(',').any(|level| level.starts_with("main:")) {
            // At its start it lists every extension that it has, page after page.
            levels = format!("main:warning,{levels}");
        }
        command.args(["--component-log-level", levels.trim_end_matches(',')]);
        let log = Log::of(&options.name, &directory, &mut command)?;
        let process = Process::spawn(&options.name, &mut command)?;
        Ok(Self { name: options.name, process, log, directory, ready_within: options.ready_within })
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Outcome> {
        let address_file = self.directory.path().join(ADMIN_ADDRESS);
        let what = format!("{} to be ready", self.name);
        let process = &mut self.process;
        let waited = wait::until(&what, self.ready_within, || {
            if let Some(status) = process.exited()? {
                return Ok(Some(Err(status)));
            }
            // The file appears before its content, and both before an answer.
            let written = std::fs::read_to_string(&address_file).unwrap_or_default();
            let Ok(admin) = written.trim().parse() else {
                return Ok(None);
            };
            let live = admin::get(admin, "/ready").is_ok_and(|page| page.starts_with("LIVE"));
            Ok(live.then_some(Ok(admin)))
        });
        match waited {
            Ok(Ok(admin)) => Ok(Outcome::Ready(Envoy {
                name: self.name,
                process: self.process,
                log: self.log,
                admin,
                _directory: self.directory,
            })),
            Ok(Err(status)) => {
                // The directory goes with this attempt.
                Ok(Outcome::Ended { status, log: self.log.kept() })
            }
            Err(error) => Err(self.log.attach(&error)),
        }
    }
}

pub(super) fn validate(mut bootstrap: Value) -> anyhow::Result<()> {
    let directory = TempDir::new("validate")?;
    complete(&mut bootstrap, 0)?;
    let mut command = command(&directory, &bootstrap)?;
    command.args(["--mode", "validate", "--disable-hot-restart"]);
    let log = Log::of("envoy", &directory, &mut command)?;
    let mut process = Process::spawn("envoy --mode validate", &mut command)?;
    let status = process.wait(VALIDATE_LIMIT).map_err(|error| log.attach(&error))?;
    anyhow::ensure!(status.success(), "{}", log.text());
    Ok(())
}

fn command(directory: &TempDir, bootstrap: &Value) -> anyhow::Result<Command> {
    let config = directory.write("bootstrap.json", serde_json::to_vec_pretty(bootstrap)?)?;
    let mut command = Command::new(binary()?);
    command.arg("--config-path").arg(config);
    Ok(command)
}

/// Adds what every Envoy under test has.
fn complete(bootstrap: &mut Value, admin_port: u16) -> anyhow::Result<()> {
    let root = bootstrap.as_object_mut().context("a bootstrap is an object")?;
    let admin = root.entry("admin").or_insert_with(|| json!({}));
    admin["address"] = json!({ "socket_address": { "address": "127.0.0.1", "port_value": admin_port } });
    root.entry("node").or_insert_with(|| json!({ "id": "narrows", "cluster": "narrows" }));
    // Histograms are merged when they are read, not five seconds later.
    if !root.contains_key("stats_flush_interval") {
        root.entry("stats_flush_on_admin").or_insert(json!(true));
    }
    Ok(())
}

const ADMIN_ADDRESS: &str = "admin-address";
const VALIDATE_LIMIT: Duration = Duration::from_secs(30);
