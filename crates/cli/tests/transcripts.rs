//! What the documentation shows is what happens: every session in the README
//! and of `transcripts/` is run, and its output compared.
//!
//! A command is a line that starts with `$ `; what follows is its output, and a last
//! line `? N` is an exit code other than 0. `UPDATE=1` writes what happened instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn sessions_show_what_happens() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![home.join("README.md")];
    files.extend(fs::read_dir(home.join("tests/transcripts")).unwrap().map(|entry| entry.unwrap().path()));
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let shown = fs::read_to_string(file).unwrap();
        let happens = replay(&shown, &home.join("tests/fixtures"));
        if shown == happens {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(file, happens).unwrap();
        } else {
            wrong.push(format!("{}\n{}", file.display(), difference(&shown, &happens)));
        }
    }
    assert!(wrong.is_empty(), "run with UPDATE=1 and look at the difference:\n{}", wrong.join("\n"));
}

/// The same text with what the commands of its sessions print now.
fn replay(text: &str, within: &Path) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(&format!("{line}\n"));
        if line != "```sh-session" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            out.push_str(&format!("{line}\n{}", run(command, within)));
            // A blank line between two commands is for the reader.
            let mut blank = false;
            while let Some(old) = lines.next_if(|line| *line != "```" && !line.starts_with("$ ")) {
                blank = old.is_empty();
            }
            if blank && lines.peek().is_some_and(|line| line.starts_with("$ ")) {
                out.push('\n');
            }
        }
    }
    out
}

fn run(command: &str, within: &Path) -> String {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let arguments: Vec<&str> = words.collect();
    if program == "cat" {
        return arguments.iter().map(|file| fs::read_to_string(within.join(file)).unwrap()).collect();
    }
    assert_eq!(program, "narrows", "only narrows and cat can be shown");
    let done = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_narrows")))
        .args(arguments)
        .current_dir(within)
        .env_clear()
        .output()
        .unwrap();
    let mut out = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    if !done.status.success() {
        out.push_str(&format!("? {}\n", done.status.code().unwrap()));
    }
    // Editors and git take away what nobody sees.
    out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// The first lines that differ.
fn difference(shown: &str, happens: &str) -> String {
    let (mut old, mut new) = (shown.lines(), happens.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return "the end of the last line".to_owned(),
            (a, b) if a != b => {
                return format!("- {}\n+ {}", a.unwrap_or("(end)"), b.unwrap_or("(end)"));
            }
            _ => {}
        }
    }
}
