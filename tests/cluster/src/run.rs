//! Commands that must succeed; what they print is the error otherwise.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = command.get_program().display().to_string();
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {shown}"))?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    ensure!(
        done.status.success(),
        "{shown} {:?} ended with {}:\n{}{said}",
        command.get_args().collect::<Vec<_>>(),
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(said)
}

/// A command in words: the first is the program.
pub(crate) fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}
