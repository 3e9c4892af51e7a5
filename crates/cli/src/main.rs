//! The command line: see [`narrows::command`].

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use narrows::clap_error;
use narrows::command::Arguments;

/// Could not run.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            match clap_error::describe(&e) {
                Some(error) => eprintln!("{error}"),
                None => _ = e.print(),
            }
            return if e.use_stderr() { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    match arguments.run() {
        Ok(done) => {
            // The program that reads the output may have closed the pipe.
            _ = std::io::stdout().write_all(done.output.as_bytes());
            eprint!("{}", done.refusal);
            if done.findings { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("{error}");
            FAILED.into()
        }
    }
}
