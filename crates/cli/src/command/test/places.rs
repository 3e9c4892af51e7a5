//! Where case files are looked for, and what is said where there are none.

use std::path::{Path, PathBuf};

use crate::command::loaded;
use crate::error::CliError;
use crate::source::SourceFile;

/// The files below a folder in which policies and cases may be.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let is_built = |file: &PathBuf| {
        let below = file.strip_prefix(folder).unwrap_or(file);
        below.components().any(|part| ["target", "node_modules"].iter().any(|name| part.as_os_str() == *name))
    };
    let mut files = crate::files::expand(&[folder.to_owned()], &[])?;
    files.retain(|file| !is_built(file));
    Ok(files)
}

/// The files in the folder `cases` beside a policy, and those beside it, that may be about this policy.
pub(super) fn beside(policy: &Path) -> Result<Vec<PathBuf>, CliError> {
    let folder = policy.parent().unwrap_or(Path::new(""));
    let cases = folder.join("cases");
    let mut all = if cases.is_dir() { files(&cases)? } else { Vec::new() };
    all.extend(neighbours(policy, folder));
    Ok(all)
}

/// The files of the same folder that mention a policy. Others are none of its business, and may be broken.
fn neighbours(policy: &Path, folder: &Path) -> Vec<PathBuf> {
    let name = policy.file_name().unwrap_or_default().to_string_lossy();
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let is_case_file = |file: &PathBuf| {
        let is_yaml =
            file.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|y| ending == *y));
        // Read up to the limit that every file has.
        let source = if is_yaml && file.is_file() { SourceFile::read(file).ok() } else { None };
        source.is_some_and(|SourceFile { text, .. }| text.contains("policyFile") && text.contains(&*name))
    };
    let mut files: Vec<PathBuf> =
        entries.map(|entry| folder.join(entry.file_name())).filter(is_case_file).collect();
    files.sort();
    files
}

/// Where no case was found.
pub(super) fn without_cases(path: &Path) -> String {
    let shown = path.display().to_string();
    if path.is_dir() {
        return format!("no file below {shown:?} has \"cases\"");
    }
    let has_policy = loaded::written(path, None).is_ok();
    if has_policy {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "no case is in {shown:?}, and none in the folder \"cases\" beside it, or in a file beside it, names it \
             (\"policyFile: {name}\")"
        )
    } else {
        format!(
            "{shown:?} is no case file, and has no policy that names its filter: a case file has \"cases\" or \"refused\" at its top"
        )
    }
}
