//! Can the documents be believed?

mod coming_from;
mod costs;
mod links;
mod paths;
mod policies;
mod runbooks;
mod sessions;
mod tables;

use std::path::{Path, PathBuf};

/// The Markdown files of the project, without what was built or installed.
fn markdown_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    find(&narrows_harness::root(), &mut files);
    files
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !["target", "dist", "node_modules"].contains(&&*name) {
            find(&path, files);
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
}
