//! `docs/reference` is made from the tables of the code. `UPDATE=1` writes it.

mod codes;
mod commands;
mod exits;
mod policies;
mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The pages, by their paths below `docs/reference`.
type Pages = BTreeMap<String, String>;

/// What stands at the head of each page.
const MADE: &str = "<!-- Made from the code by crates/cli/tests/reference. UPDATE=1 writes it. -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a command of `narrows` prints in the root of the project, and its exit code.
fn narrows(arguments: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_narrows"))
        .current_dir(root())
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap() + &String::from_utf8(run.stderr).unwrap();
    (run.status.code(), said)
}

#[test]
fn the_reference_is_what_the_code_says() {
    let mut pages = Pages::new();
    policies::add(&mut pages);
    codes::add(&mut pages);
    signals::add(&mut pages);
    commands::add(&mut pages);
    let folder = root().join("docs/reference");
    let kept: BTreeSet<String> = files(&folder, &folder).into_iter().collect();
    let mut wrong: Vec<_> = kept.iter().filter(|name| !pages.contains_key(*name)).cloned().collect();
    let is_update = env::var_os("UPDATE").is_some();
    if is_update {
        wrong.drain(..).for_each(|name| fs::remove_file(folder.join(name)).unwrap());
    }
    for (name, page) in &pages {
        let path = folder.join(name);
        if is_update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, page).unwrap();
        } else if fs::read_to_string(path).ok().as_deref() != Some(page) {
            wrong.push(name.clone());
        }
    }
    assert!(wrong.is_empty(), "not up to date in docs/reference; set UPDATE=1 and run again: {wrong:?}");
}

/// The files below a folder, by their paths from `root`.
fn files(root: &Path, folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
    found
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}
