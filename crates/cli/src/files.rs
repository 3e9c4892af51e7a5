//! The files that a command line names: by themselves, by folders, or by patterns.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use ignore::{DirEntry, WalkBuilder};

use crate::error::CliError;

/// The endings of files in which policies are found.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// All files of these names. Of a folder they are those with the right ending; what a `.gitignore` names,
/// and what is hidden, is left out. A pattern such as `deploy/**/*.yaml` names what it matches.
pub fn expand(names: &[PathBuf], exclude: &[Pattern]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for name in names {
        if name.is_dir() {
            files.extend(below(name, &|path| has_ending(path))?);
        } else if !name.exists() && is_pattern(name) {
            let pattern = Pattern::new(&name.display().to_string(), Path::new(""))?;
            let found = below(&base(name), &|path| pattern.is_match(path))?;
            if found.is_empty() {
                return Err(CliError::new(
                    format!("no file matches {:?}", name.display().to_string()),
                    "write a pattern such as deploy/**/*.yaml",
                ));
            }
            files.extend(found);
        } else {
            files.push(name.clone());
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| !is_excluded(exclude, file) && (file == Path::new("-") || seen.insert(file.clone())));
    Ok(files)
}

/// The one path of a file, whatever links and folders its name goes through; it need not be there.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    if let Ok(known) = path.canonicalize() {
        return known;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    folder.canonicalize().map_or_else(|_| plain(path), |folder| folder.join(name))
}

/// A pattern for paths, as `.gitignore` has them: `*` stays within a folder, `**` does not.
#[derive(Clone, Debug)]
pub struct Pattern {
    glob: GlobMatcher,
    /// The folder that it starts from; without one, it is for names as they are given.
    folder: PathBuf,
}

impl Pattern {
    /// A pattern that starts from a folder.
    pub fn new(text: &str, folder: &Path) -> Result<Self, CliError> {
        let path = plain(Path::new(text)).display().to_string();
        let glob = GlobBuilder::new(&path).literal_separator(true).build();
        let refuse = |e: globset::Error| {
            let message = format!("{text:?} is no pattern: {}", e.kind());
            CliError::new(message, "write one such as deploy/**/*.yaml")
        };
        Ok(Self { glob: glob.map_err(refuse)?.compile_matcher(), folder: folder.to_owned() })
    }

    /// Whether it is for this file.
    pub fn is_match(&self, file: &Path) -> bool {
        self.glob.is_match(self.from(file))
    }

    /// The path of a file as the pattern sees it.
    fn from(&self, file: &Path) -> PathBuf {
        let absolute =
            (!self.folder.as_os_str().is_empty()).then(|| std::path::absolute(file).ok()).flatten();
        let absolute = absolute.as_deref().map(plain);
        let below = absolute.as_deref().and_then(|path| path.strip_prefix(&self.folder).ok());
        plain(below.unwrap_or(file))
    }
}

/// The same path without `.`; and without `..` where the folder before it is known.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components().filter(|part| *part != Component::CurDir) {
        let is_known = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        if part == Component::ParentDir && is_known {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// A pattern for a folder is one for what is in it.
fn is_excluded(exclude: &[Pattern], file: &Path) -> bool {
    exclude.iter().any(|pattern| pattern.from(file).ancestors().any(|part| pattern.glob.is_match(part)))
}

fn is_pattern(name: &Path) -> bool {
    name.to_str().is_some_and(|name| name.contains(['*', '?', '[', '{']))
}

/// The folder in which the matches of a pattern are.
fn base(name: &Path) -> PathBuf {
    let base: PathBuf = name.components().take_while(|part| !is_pattern(part.as_ref())).collect();
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base }
}

fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn below(folder: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, CliError> {
    let entries = WalkBuilder::new(folder).require_git(false).sort_by_file_path(Ord::cmp).build();
    let mut files = Vec::new();
    for entry in entries {
        let entry: DirEntry = match entry {
            Ok(entry) => entry,
            Err(error) => match place(&error) {
                // It is read like a file, and its fault is reported like that of one: the others are read.
                Some(path) if path != folder => {
                    files.push(path.to_owned());
                    continue;
                }
                _ => {
                    return Err(CliError::new(
                        format!("cannot read {:?}: {error}", folder.display().to_string()),
                        "name a folder that can be read",
                    ));
                }
            },
        };
        if entry.file_type().is_some_and(|kind| kind.is_file()) && is_wanted(entry.path()) {
            files.push(plain(entry.path()));
        }
    }
    Ok(files)
}

/// What a walk could not read, if it says so.
fn place(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place(err),
        _ => None,
    }
}
