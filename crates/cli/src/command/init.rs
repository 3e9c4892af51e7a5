//! `narrows init`

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Done, FilterName};
use crate::error::CliError;
use crate::filter::Filter;

/// Write a small policy to start from, and cases that test it
///
/// The policy has comments and lints clean; the cases pass. A file that is there is never
/// overwritten.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The filter that the policy is for
    #[arg(value_name = "FILTER", default_value = "canary-split")]
    filter: FilterName,
    /// The folder to write into
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    to: PathBuf,
}

/// For each filter the files to start from.
const FOLDERS: &[(&str, &[(&str, &str)])] = include!(concat!(env!("OUT_DIR"), "/init.rs"));

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let filter = self.filter.0;
        let name = format!("{}.yaml", filter.name());
        if self.to.is_file() {
            return Err(CliError::new(
                format!("--to {:?} is a file", self.to.display().to_string()),
                "name a folder: the policy and its cases are written into it",
            ));
        }
        // Here, a name is enough.
        let folder = if self.to == Path::new(".") { Path::new("") } else { &self.to };
        let (policy, cases) = (folder.join(&name), folder.join("cases").join(&name));
        let files = [(&policy, text(filter, "policy.yaml")), (&cases, text(filter, "cases.yaml"))];
        // Both or none.
        if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
            return Err(is_there(there));
        }
        for (path, text) in files {
            write_new(path, text?)?;
        }
        let [policy, cases] = [&policy, &cases].map(|path| path.display().to_string());
        Ok(Done::clean(format!(
            "wrote {policy} and {cases}\n\
             next: narrows lint {policy}; narrows test {cases}; narrows explain CODE where something is unclear\n"
        )))
    }
}

fn text(filter: Filter, file: &str) -> Result<&'static str, CliError> {
    let folder = FOLDERS.iter().find(|(name, _)| *name == filter.name()).map(|(_, files)| *files);
    let text = folder.unwrap_or_default().iter().find(|(name, _)| *name == file).map(|(_, text)| *text);
    text.ok_or_else(|| {
        CliError::new(
            format!("there is no policy to start from for {}", filter.name()),
            "see the README of the filter",
        )
    })
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::File::create_new(path))
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(path),
        _ => CliError::new(
            format!("cannot write {:?}: {error}", path.display().to_string()),
            "name a folder that can be written with --to",
        ),
    })
}

fn is_there(path: &Path) -> CliError {
    CliError::new(
        format!("{:?} is there already", path.display().to_string()),
        "take it away, or name another folder with --to",
    )
}
