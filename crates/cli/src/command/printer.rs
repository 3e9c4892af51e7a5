//! Prints as a command goes, and says if nobody can have it.

use std::io::{BufWriter, ErrorKind, Stdout, Write as _};

use crate::error::CliError;
use crate::screen;

/// The standard output of a command that prints piece by piece.
pub(super) struct Printer {
    to: BufWriter<Stdout>,
    /// Whether the reader has closed the pipe: it has what it wanted.
    closed: bool,
}

impl Printer {
    pub(super) fn new() -> Self {
        Self { to: BufWriter::new(std::io::stdout()), closed: false }
    }

    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        let written = self.to.write_all(screen::safe(text).as_bytes());
        self.after(written)
    }

    pub(super) fn finish(mut self) -> Result<(), CliError> {
        let written = self.to.flush();
        self.after(written)
    }

    fn after(&mut self, written: std::io::Result<()>) -> Result<(), CliError> {
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => {
                Err(CliError::new(format!("cannot write: {error}"), "make room where the output goes"))
            }
        }
    }
}
