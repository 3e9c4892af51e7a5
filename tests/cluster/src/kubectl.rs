//! The cluster through its API server, as any user reaches it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::run;

/// A cluster, and the program to speak with it.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(program: impl Into<PathBuf>, kubeconfig: &Path) -> Self {
        Self { program: program.into(), kubeconfig: kubeconfig.to_owned() }
    }

    /// Where its configuration is.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder of the program, unless it is found on the path.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.program.parent().filter(|folder| !folder.as_os_str().is_empty())
    }

    /// A command, in words.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("KUBECONFIG", &self.kubeconfig).args(line.split_whitespace());
        command
    }

    /// What a command prints.
    pub(crate) fn run(&self, line: &str) -> anyhow::Result<String> {
        run::output(&mut self.command(line))
    }

    /// A command that reads `input`.
    pub(crate) fn feed(&self, line: &str, input: &str) -> anyhow::Result<String> {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        // Whoever ends without reading says why on its own.
        _ = child.stdin.take().context("no input")?.write_all(input.as_bytes());
        let done = child.wait_with_output()?;
        ensure!(done.status.success(), "kubectl {line}: {}", String::from_utf8_lossy(&done.stderr).trim());
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Applies a manifest.
    pub(crate) fn apply(&self, manifest: &str) -> anyhow::Result<String> {
        self.feed("apply -f -", manifest)
    }
}
