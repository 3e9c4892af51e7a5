//! Opens what a command reads. The standard input can be read only once.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::CliError;

/// Opens a file for reading piece by piece; `-` is the standard input.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, CliError> {
    /// Whoever reads it second would find it empty, and work on nothing.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if path.as_os_str() == "-" {
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(CliError::new(
                "the standard input is named twice, and can be read once",
                "name a file instead of one \"-\"",
            ));
        }
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

/// A file that cannot be read.
pub fn cannot_read(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(
        format!("cannot read {:?}: {error}", path.display().to_string()),
        "name a file of UTF-8 text",
    )
}
