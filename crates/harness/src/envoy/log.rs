//! What an Envoy says: its log, and everything else it prints.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::temp::TempDir;

/// The log of one Envoy.
#[derive(Debug)]
pub(super) struct Log {
    name: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// What it had logged when its directory went.
    Kept(String),
}

impl Log {
    /// Makes a command print into a new file of this directory.
    pub(super) fn of(name: &str, directory: &TempDir, command: &mut Command) -> anyhow::Result<Self> {
        let path = directory.path().join("log");
        // Appending, because an access log to /dev/stdout opens it once more.
        let file = File::options()
            .append(true)
            .create(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        Ok(Self { name: name.to_owned(), place: Place::File(path) })
    }

    /// Whose log it is.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// All of it; a filter may log bytes that are not text.
    pub(super) fn text(&self) -> String {
        match &self.place {
            Place::File(path) => {
                let bytes = fs::read(path).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Place::Kept(text) => text.clone(),
        }
    }

    /// The same log when the directory will go.
    pub(super) fn kept(&self) -> Self {
        Self { name: self.name.clone(), place: Place::Kept(self.text()) }
    }

    /// Adds the end of the log to an error.
    pub(super) fn attach(&self, error: &anyhow::Error) -> anyhow::Error {
        anyhow::anyhow!("{error:#}\n{}", self.tail())
    }

    /// The end of the log under a heading.
    pub(super) fn tail(&self) -> String {
        let name = &self.name;
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(TAIL)..];
        format!("--- the last {} lines of the log of {name} ---\n{}\n---", tail.len(), tail.join("\n"))
    }
}

const TAIL: usize = 60;
