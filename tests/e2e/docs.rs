//! Can the documentation be believed? Every policy in it compiles, every command runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use narrows_core::{Tree, catalog};
use narrows_testkit::mesh;
use serde_json::Value;

/// A fenced block of a Markdown file.
struct Block {
    file: PathBuf,
    line: usize,
    language: String,
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

#[test]
fn every_command_in_the_documentation_runs() {
    let by_ci = fs::read_to_string(mesh::root().join(".ci/run")).unwrap();
    let mut known = 0;
    for block in blocks().iter().filter(|block| block.language == "console") {
        let mut lines = block.text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let mut output = Vec::new();
            while let Some(expected) = lines.next_if(|next| !next.starts_with("$ ")) {
                output.push(expected);
            }
            known += 1;
            // What CI runs as a whole is not run inside of it once more.
            if !by_ci.lines().any(|line| line.trim() == command) {
                run(command, &output, block);
            }
        }
    }
    assert!(known >= 2, "only {known} commands found");
}

/// Runs a command in the root of the project; `...` in what it should print stands for
/// any lines.
fn run(command: &str, expected: &[&str], block: &Block) {
    let root = mesh::root();
    // Built by whoever builds the tests; a fresh shell finds them here.
    let tools = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new("bash").args(["-c", command]).current_dir(&root).env("PATH", path).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let mut rest = said.lines();
    let mut anywhere = false;
    for wanted in expected.iter().filter(|line| !line.is_empty()) {
        if *wanted == "..." {
            anywhere = true;
            continue;
        }
        let found = if anywhere {
            rest.any(|line| line == *wanted)
        } else {
            rest.by_ref().find(|l| !l.is_empty()) == Some(wanted)
        };
        assert!(found, "{}: {command}\ndid not print {wanted:?}, but\n{said}", block.place());
        anywhere = false;
    }
    if expected.is_empty() {
        assert!(output.status.success(), "{}: {command}\n{said}", block.place());
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
    markdown(&mesh::root(), &mut files);
    let mut blocks = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => {
                    let language = language.split_whitespace().next().unwrap_or_default().to_owned();
                    open =
                        Some(Block { file: file.clone(), line: number + 1, language, text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(line);
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
