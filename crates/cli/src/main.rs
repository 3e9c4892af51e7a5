//! The command line: see [`narrows::command`].

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use narrows::command::Arguments;
use narrows::usage;

/// Could not run.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            match usage::failure(&e) {
                Some(failure) => eprintln!("{failure}"),
                None => _ = e.print(),
            }
            return if e.use_stderr() { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    match arguments.run() {
        Ok(done) => {
            // Whoever closed the pipe has read enough.
            _ = std::io::stdout().write_all(done.output.as_bytes());
            eprint!("{}", done.refusal);
            if done.findings { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(failure) => {
            eprintln!("{failure}");
            FAILED.into()
        }
    }
}
