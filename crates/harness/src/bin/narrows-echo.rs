//! An application for a mesh, as a process of its own: see
//! `narrows_harness::echo` for what it answers.

use std::net::SocketAddr;

use anyhow::Context;
use narrows_harness::echo::{Call, Echo, EchoOptions};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<()> {
    let settings = Settings::read(std::env::args().skip(1))?;
    let echo = Echo::start(&settings.name, settings.options)?;
    println!("{} listens on {}", settings.name, echo.addr());
    // Process 1 of a container ignores a signal that it does not ask for.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        anyhow::Ok(())
    })
}

struct Settings {
    name: String,
    options: EchoOptions,
}

impl Settings {
    /// Each setting is `--key value`, or `NARROWS_ECHO_KEY` in the environment.
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut given: Vec<(String, String)> = Vec::new();
        while let Some(argument) = arguments.next() {
            let key = argument.strip_prefix("--").filter(|key| KEYS.contains(key));
            let key = key.with_context(|| format!("unknown argument `{argument}`\n{USAGE}"))?;
            let value = arguments.next();
            let value = value.with_context(|| format!("`{argument}` needs a value\n{USAGE}"))?;
            given.push((key.to_owned(), value));
        }
        let setting = |key: &str| {
            let argument = given.iter().rfind(|(found, _)| found == key).map(|(_, value)| value.clone());
            let variable = format!("NARROWS_ECHO_{}", key.replace('-', "_").to_uppercase());
            argument.or_else(|| std::env::var(variable).ok()).filter(|value| !value.is_empty())
        };
        let name = setting("name").with_context(|| format!("it needs a `--name`\n{USAGE}"))?;
        let mut options = EchoOptions::default();
        let listen = setting("listen").unwrap_or_else(|| "0.0.0.0:8080".to_owned());
        options.listen = listen
            .parse::<SocketAddr>()
            .with_context(|| format!("`--listen {listen}` is not an address and a port"))?;
        if let Some(version) = setting("version") {
            options.version = version;
        }
        let names = |key: &str| -> Option<Vec<String>> {
            Some(setting(key)?.split(',').map(|name| name.trim().to_owned()).collect())
        };
        options.forward = names("forward").unwrap_or_default();
        options.traces = names("traces");
        options.status = setting("status").as_deref().map(status).transpose()?;
        match (setting("calls"), setting("via")) {
            (Some(authority), Some(via)) => options.calls.push(Call {
                path_prefix: setting("call-prefix").unwrap_or_default(),
                authority,
                path: setting("call-path").unwrap_or_else(|| "/".to_owned()),
                via,
            }),
            (None, None) => {}
            _ => anyhow::bail!("`--calls` and `--via` go together\n{USAGE}"),
        }
        Ok(Self { name, options })
    }
}

/// A final status of HTTP.
fn status(text: &str) -> anyhow::Result<u16> {
    let status = text.parse().ok().filter(|status| (200..600).contains(status));
    status.with_context(|| format!("`--status {text}` is no status from 200 to 599"))
}

const KEYS: &[&str] =
    &["name", "listen", "version", "calls", "via", "call-prefix", "call-path", "forward", "traces", "status"];

const USAGE: &str = "\
usage: narrows-echo --name NAME [--listen ADDRESS:PORT] [--version VERSION]
                    [--calls HOST:PORT --via HOST:PORT]
                    [--call-prefix PATH] [--call-path PATH] [--forward NAME,NAME]
                    [--traces NAME,NAME] [--status NNN]
each is also read from NARROWS_ECHO_NAME, NARROWS_ECHO_LISTEN and so on";
