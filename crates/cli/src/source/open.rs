//! Opens what a command reads. The standard input can be read only once.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::CliError;

/// The most bytes that are read as a whole: a file, or a line or a request of a file that is read piece by
/// piece. What is read takes several times as much memory.
pub const WHOLE: u64 = 64 << 20;

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
    match kind::without_text(&file) {
        Some((what, help)) => Err(unread(path, what, help)),
        None => Ok(Box::new(BufReader::with_capacity(1 << 16, file))),
    }
}

/// Reads all of a file, if it has no more than so many bytes; `-` is the standard input.
pub fn whole(path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| cannot_read(path, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        return Ok(bytes);
    }
    let what = format!("it has more than {} MiB, the most that is read as a whole", most >> 20);
    Err(unread(path, &what, "split it, or name a file with the part that is wanted"))
}

/// A file that cannot be read.
pub fn cannot_read(path: &Path, error: &std::io::Error) -> CliError {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return unread(path, "it is not UTF-8", "write it as UTF-8");
    }
    unread(path, &error.to_string(), "name a file that is there and can be read")
}

fn unread(path: &Path, what: &str, help: &str) -> CliError {
    CliError::new(format!("cannot read {:?}: {what}", path.display().to_string()), help)
}

/// What a name leads to.
mod kind {
    use std::fs::File;
    use std::io::IsTerminal as _;

    /// What it is and what to name instead, if no text can be in it.
    pub(super) fn without_text(file: &File) -> Option<(&'static str, &'static str)> {
        let known = file.metadata().ok()?;
        if known.is_dir() {
            return Some(("it is a folder", "name a file in it"));
        }
        // Who writes `/dev/stdin` may mean a terminal.
        let is_device = is_device(&known) && !file.is_terminal();
        is_device.then_some(("it is a device", "name a file of text; \"-\" is the standard input"))
    }

    #[cfg(unix)]
    fn is_device(known: &std::fs::Metadata) -> bool {
        use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
        let kind = known.file_type();
        // Nothing is in /dev/null, which is what who names it means.
        let is_null = || std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == known.rdev());
        kind.is_block_device() || (kind.is_char_device() && !is_null())
    }

    #[cfg(not(unix))]
    fn is_device(_: &std::fs::Metadata) -> bool {
        false
    }
}
