//! Can the documentation be believed? Every policy in it compiles, every command prints
//! what is shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use narrows_core::{Tree, catalog};
use narrows_harness::root;
use serde_json::Value;

/// A fenced block of a Markdown file.
struct Block {
    file: PathBuf,
    line: usize,
    language: String,
    margin: String,
    text: String,
}

#[test]
fn every_policy_in_the_documentation_compiles() {
    let mut compiled = 0;
    for block in blocks() {
        let documents: Vec<Value> = match block.language.as_str() {
            "json" => {
                vec![serde_json::from_str(&block.text).unwrap_or_else(|e| panic!("{}: {e}", block.place()))]
            }
            "yaml" => {
                serde_saphyr::from_multiple(&block.text).unwrap_or_else(|e| panic!("{}: {e}", block.place()))
            }
            _ => continue,
        };
        for policy in documents.iter().filter_map(|document| policy_in(document, &block)) {
            let filter =
                block.filter(&policy).unwrap_or_else(|| panic!("{}: for which filter?", block.place()));
            let tree = Tree::parse(policy.to_string().as_bytes()).unwrap();
            let checked =
                catalog::check(&filter, &tree).unwrap_or_else(|| panic!("{}: no {filter}", block.place()));
            checked.unwrap_or_else(|e| panic!("{}: {filter}: {e}", block.place()));
            compiled += 1;
        }
    }
    assert!(compiled >= 2, "only {compiled} policies found");
}

/// A session shows commands after `$ ` and all that each prints; `...` on a line of its own
/// stands for any lines, and a last line `? N` is an exit code other than 0.
#[test]
fn every_command_in_the_documentation_prints_what_is_shown() {
    let by_ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    let mut shown_by = BTreeSet::new();
    let mut wrong = Vec::new();
    for block in blocks().iter().filter(|block| block.language == "console") {
        let mut lines = block.text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else {
                panic!("{}: {line:?} is printed by no command", block.place());
            };
            let mut shown = Vec::new();
            while let Some(expected) = lines.next_if(|next| !next.starts_with("$ ")) {
                shown.push(expected);
            }
            // What CI runs as a whole is not run inside of it once more.
            if by_ci.lines().any(|line| line.trim() == command) {
                continue;
            }
            let said = run(command);
            if !shows(&shown, &said) {
                wrong.push(format!("{}: {command}\nprinted\n{}", block.place(), said.join("\n")));
            }
            shown_by.insert(block.file.clone());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for folder in ["filters", "examples"] {
        for part in fs::read_dir(root().join(folder)).unwrap().flatten() {
            let readme = part.path().join("README.md");
            assert!(
                !readme.is_file() || shown_by.contains(&readme),
                "{} shows no command that was run",
                readme.display()
            );
        }
    }
}

/// What a command prints in the root of the project, and how it ends.
fn run(command: &str) -> Vec<String> {
    let tools = narrows_tests::narrows();
    let path = format!("{}:{}", tools.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let shell = ["-c", command];
    let output = Command::new("bash").args(shell).current_dir(root()).env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let mut lines: Vec<String> = said.lines().map(|line| line.trim_end().to_owned()).collect();
    if !output.status.success() {
        lines.push(format!("? {}", output.status.code().unwrap_or(-1)));
    }
    lines
}

/// Whether these lines show all of those.
fn shows(shown: &[&str], said: &[String]) -> bool {
    match shown {
        // The blank line before the next command is for the reader.
        [] | [""] => said.is_empty(),
        ["...", rest @ ..] => (0..=said.len()).any(|skipped| shows(rest, &said[skipped..])),
        [line, rest @ ..] => said.first().is_some_and(|first| first == line) && shows(rest, &said[1..]),
    }
}

#[test]
fn a_session_shows_all_that_is_printed() {
    let said = ["a", "b", "", "c"].map(str::to_owned);
    for shown in [&["a", "b", "", "c"][..], &["a", "...", "c", ""], &["..."], &["...", "", "c"]] {
        assert!(shows(shown, &said), "{shown:?}");
    }
    for shown in [&[][..], &["a", "b"], &["b", "...", "c"], &["a", "b", "c"], &["...", "c", "? 1"]] {
        assert!(!shows(shown, &said), "{shown:?}");
    }
}

/// The policy in a document: a policy itself, or the one that a manifest carries.
fn policy_in(document: &Value, block: &Block) -> Option<Value> {
    let carried = [document.pointer("/spec/pluginConfig"), document.pointer("/spec/wasm/pluginConfig")];
    if let Some(policy) = carried.into_iter().flatten().next() {
        return Some(policy.clone());
    }
    // In YAML there are other people's rules too: a policy says that it is one.
    let is_ours = block.language == "json" || document.get("filter").is_some();
    let kind = ["rules", "splits", "tags", "metrics"];
    (is_ours && block.filter(document).is_some() && kind.iter().any(|field| document.get(field).is_some()))
        .then(|| document.clone())
}

impl Block {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }

    /// The filter that a policy names, or else the one whose folder this is.
    fn filter(&self, policy: &Value) -> Option<String> {
        let named = policy["filter"].as_str().map(str::to_owned);
        named.or_else(|| {
            let folder = self.file.parent()?.file_name()?.to_str()?;
            catalog::FILTERS.contains(&folder).then(|| folder.to_owned())
        })
    }
}

fn blocks() -> Vec<Block> {
    let mut files = Vec::new();
    markdown(&root(), &mut files);
    let mut blocks = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => {
                    let margin = line.split('`').next().unwrap_or_default().to_owned();
                    let language = language.split_whitespace().next().unwrap_or_default().to_owned();
                    open = Some(Block {
                        file: file.clone(),
                        line: number + 1,
                        language,
                        margin,
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    // Within a list a block is indented as a whole.
                    block.text.push_str(line.strip_prefix(&block.margin).unwrap_or(line));
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", file.display());
    }
    blocks
}

/// The Markdown files of the project, without what was built or installed.
fn markdown(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !["target", "dist", "node_modules"].contains(&&*name) {
            markdown(&path, files);
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
}
