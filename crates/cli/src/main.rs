//! The command line: see [`narrows::command`].

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use narrows::command::{Arguments, Done};
use narrows::error::CliError;
use narrows::{clap_error, screen};

/// Could not run.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => return usage(&e),
    };
    let done = arguments.run().unwrap_or_else(|error| Done::failed(&error));
    // First what was found, then why the rest was not.
    let written = write(io::stdout().lock(), &screen::safe(&done.output))
        .and_then(|()| write(io::stderr().lock(), &screen::safe(&done.refusal)));
    match written {
        Err(error) => lost(&error),
        Ok(()) if done.is_failure => FAILED.into(),
        Ok(()) if done.findings => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
    }
}

/// A mistake on the command line, or a help text that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let printed = match clap_error::describe(error, &words) {
        Some(error) => write(io::stderr().lock(), &format!("{error}\n")),
        None => printed(error.print()),
    };
    match printed {
        Err(lost_error) if !error.use_stderr() => lost(&lost_error),
        _ if error.use_stderr() => FAILED.into(),
        _ => ExitCode::SUCCESS,
    }
}

/// Writes all of a text.
fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    printed(to.write_all(text.as_bytes()).and_then(|()| to.flush()))
}

/// The program that reads the output may have read enough and closed the pipe.
fn printed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Half an output is worse than none, so nobody may take it for a whole one.
fn lost(error: &io::Error) -> ExitCode {
    let error =
        CliError::new(format!("cannot write the output: {error}"), "what was written is not all of it");
    _ = write(io::stderr().lock(), &format!("{error}\n"));
    FAILED.into()
}
