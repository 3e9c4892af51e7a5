//! Sessions in documents: what a document shows is what its commands print.
//!
//! ````text
//! ```console
//! $ narrows lint shop.yaml
//! ...
//! 1 error
//! ? 1
//! ```
//! ````
//!
//! A line that starts with `$ ` is a command of bash. What follows is all that it prints: standard
//! output, then standard error. `...` alone is any lines, and a last line `? N` is an exit code
//! other than 0. A blank line before the next command is for the reader. A block that begins with
//! ```` ```console skip ```` is not run: say in the text around it who does. One that begins with
//! ```` ```console cluster ```` is run in a cluster, by `make test-cluster`. A block such as
//! ```` ```yaml save=shop.yaml ```` becomes that file in the working directory, before what is shown below it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::markdown::{Block, blocks};

/// Where the commands of a document run.
#[derive(Clone, Debug)]
pub struct Session {
    /// Their working directory.
    pub directory: PathBuf,
    /// What is first on their path: the folder of the program that the document is about.
    pub programs: PathBuf,
}

/// What follows the fence of a block that is run anywhere.
const PLAIN: &str = "console";
/// And of one that is run in a cluster.
const CLUSTER: &str = "console cluster";

/// Whether what documents show is to be written anew, by `UPDATE=1`, and not compared.
pub fn updates() -> bool {
    std::env::var_os("UPDATE").is_some()
}

impl Session {
    /// Runs what a document shows; returns how many commands that were. The error has each command that
    /// printed something else, unless [`updates`]: then the document has it.
    pub fn check(&self, document: &Path) -> anyhow::Result<usize> {
        self.check_or_update(document, PLAIN, updates())
    }

    /// The same for the blocks that need a cluster.
    pub fn check_in_cluster(&self, document: &Path) -> anyhow::Result<usize> {
        self.check_or_update(document, CLUSTER, updates())
    }

    fn check_or_update(&self, document: &Path, kind: &str, updates: bool) -> anyhow::Result<usize> {
        let shown = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
        let mut replay = Replay::default();
        for block in blocks(&shown).with_context(|| document.display().to_string())? {
            if let Some(name) = block.info.split(' ').find_map(|word| word.strip_prefix("save=")) {
                std::fs::write(self.directory.join(name), block.text()).with_context(|| name.to_owned())?;
            } else if block.info == kind {
                self.replay(&block, &mut replay)
                    .with_context(|| format!("{}:{}", document.display(), block.start))?;
            }
        }
        if updates {
            let mut lines: Vec<String> = shown.lines().map(str::to_owned).collect();
            for (start, end, text) in replay.changes.into_iter().rev() {
                lines.splice(start..end, text);
            }
            let happens = lines.join("\n") + "\n";
            if happens != shown {
                std::fs::write(document, happens)?;
            }
            return Ok(replay.commands);
        }
        ensure!(
            replay.wrong.is_empty(),
            "{}: run with UPDATE=1 and look at the difference\n{}",
            document.display(),
            replay.wrong.join("\n")
        );
        Ok(replay.commands)
    }

    fn replay(&self, block: &Block, replay: &mut Replay) -> anyhow::Result<()> {
        let mut number = 0;
        while let Some(line) = block.lines.get(number) {
            let command =
                line.strip_prefix("$ ").with_context(|| format!("{line:?} is printed by no command"))?;
            let rest = &block.lines[number + 1..];
            let end = rest.iter().position(|line| line.starts_with("$ ")).unwrap_or(rest.len());
            let shown: Vec<&str> = rest[..end].iter().map(String::as_str).collect();
            let said = self.run(command)?;
            replay.commands += 1;
            if !shows(&shown, &said) {
                replay.wrong.push(format!(
                    "line {}: {command}\n{}",
                    block.start + number + 1,
                    difference(&shown, &said)
                ));
                let blank = (end < rest.len() && shown.last() == Some(&"")).then(String::new);
                let text = said.iter().map(|line| format!("{}{line}", block.margin)).chain(blank).collect();
                let start = block.start + number + 1;
                replay.changes.push((start, start + end, text));
            }
            number += 1 + end;
        }
        Ok(())
    }

    /// What a command prints, and how it ends.
    fn run(&self, command: &str) -> anyhow::Result<Vec<String>> {
        let mut path = OsString::from(&self.programs);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(&self.directory)
            .env("PATH", path)
            .output()
            .context("a session needs bash")?;
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        // Editors and git take away what nobody sees.
        let mut lines: Vec<String> = said.lines().map(|line| line.trim_end().to_owned()).collect();
        if !output.status.success() {
            lines.push(format!("? {}", output.status.code().unwrap_or(-1)));
        }
        Ok(lines)
    }
}

/// What the commands of a document did.
#[derive(Default)]
struct Replay {
    commands: usize,
    wrong: Vec<String>,
    /// From which line of the document to which there is something else.
    changes: Vec<(usize, usize, Vec<String>)>,
}

/// Whether these lines show all of those.
fn shows(shown: &[&str], said: &[String]) -> bool {
    match shown {
        // The blank line before the next command is for the reader.
        [] | [""] => said.is_empty(),
        ["...", rest @ ..] => (0..=said.len()).any(|skipped| shows(rest, &said[skipped..])),
        [line, rest @ ..] => said.first().is_some_and(|first| first == line) && shows(rest, &said[1..]),
    }
}

/// The first line that differs; all that was printed, if the document shows a part of it.
fn difference(shown: &[&str], said: &[String]) -> String {
    if shown.contains(&"...") {
        return format!("printed\n{}", said.join("\n"));
    }
    let same = shown.iter().zip(said).take_while(|(shown, said)| *shown == said).count();
    let line = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
    format!("- {}\n+ {}", line(shown.get(same).copied()), line(said.get(same).map(String::as_str)))
}

#[cfg(test)]
mod tests;
