//! Files that are replaced whole: whoever reads one sees the old text or the new one, never a half.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::CliError;
use crate::files;

/// Puts a text in the place of a file. Its permissions stay; a link stays a link.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), CliError> {
    written(path, text).map_err(|error| {
        CliError::new(
            format!("cannot write {:?}: {error}", path.display().to_string()),
            files::remedy(path, &error),
        )
    })
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let moved = File::create_new(&beside)
        .and_then(|mut file| {
            file.set_permissions(permissions)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, &path));
    if moved.is_err() {
        _ = fs::remove_file(&beside);
    }
    moved
}
