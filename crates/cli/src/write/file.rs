//! Files that are replaced whole: whoever reads one sees the old text or the new one, never a half.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::CliError;

/// Writes a file whole or not at all: first beside it, then in its place. Its permissions stay.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return Err(CliError::new(format!("cannot write {shown:?}: it is a folder"), "name a file in it"));
    }
    let asked = path;
    let refuse =
        |error: &io::Error| CliError::new(format!("cannot write {shown:?}: {error}"), remedy(asked, error));
    // A link stays one: what it leads to is replaced. What is no file, such as a pipe, is written to.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&path).ok();
    if known.as_ref().is_some_and(|known| !known.is_file()) {
        return fs::write(&path, text).map_err(|error| refuse(&error));
    }
    put(&path, known.map(|known| known.permissions()), text).map_err(|error| refuse(&error))
}

/// Refuses what cannot become a file, before another one is written.
pub(crate) fn may_write(path: &Path) -> Result<(), CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refuse = |why: &str, help: String| {
        Err(CliError::new(format!("cannot write {:?}: {why}", path.display().to_string()), help))
    };
    match (path.is_dir(), folder.is_dir()) {
        (true, _) => refuse("it is a folder", "name a file in it".to_owned()),
        (_, false) => refuse(
            "its folder is not there",
            format!("make the folder {:?} first", folder.display().to_string()),
        ),
        _ => Ok(()),
    }
}

/// What makes a file writable that could not be written.
fn remedy(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.exists()) {
        Some(folder) => format!("make the folder {:?} first", folder.display().to_string()),
        None if error.kind() == io::ErrorKind::NotADirectory => "name a folder before the file".to_owned(),
        None => "make the file and its folder writable".to_owned(),
    }
}

/// Writes a file beside a path, which nobody can have put there, and moves it into its place.
fn put(path: &Path, permissions: Option<fs::Permissions>, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let moved = File::create_new(&beside)
        .and_then(|mut file| {
            permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        _ = fs::remove_file(&beside);
    }
    moved
}
