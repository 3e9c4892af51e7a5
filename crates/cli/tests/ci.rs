//! The hooks for pre-commit and the GitHub Action, run as far as they can be without GitHub.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use narrows::source::SourceFile;

const GOOD: &str = "filter: canary-split\nsplits:\n  - name: shop\n    hosts: [shop.example.com]\n    key: [{ cookie: uid }]\n    backends: [{ name: stable, baseline: true }, { name: canary, to: v2, weight: 20 }]\n";

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// An empty repository of git with these files in one commit.
fn repository(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ci").join(name);
    _ = fs::remove_dir_all(&here);
    fs::create_dir_all(&here).unwrap();
    run(&here, &["git", "init", "--quiet"]);
    for (name, text) in files {
        fs::create_dir_all(here.join(name).parent().unwrap()).unwrap();
        fs::write(here.join(name), text).unwrap();
    }
    run(&here, &["git", "add", "."]);
    run(
        &here,
        &["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "a"],
    );
    here
}

/// The path with the program under test first.
fn path() -> OsString {
    let mut path = OsString::from(Path::new(env!("CARGO_BIN_EXE_narrows")).parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

fn command(here: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(here).env("PATH", path());
    // What git sets for a hook of this repository is not for the ones of the tests.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn run(here: &Path, words: &[&str]) {
    let output = command(here, words);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The steps of the action, each with its shell text and its environment, for these inputs.
fn steps(inputs: &BTreeMap<&str, &str>) -> Vec<(String, String, Vec<(String, String)>)> {
    let source = SourceFile::read(&root().join("action.yml")).unwrap();
    let documents = source.documents().unwrap();
    let action = documents[0].data();
    let value = |text: &str| -> String {
        let Some(name) = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) else {
            panic!("{text:?} is no expression of the action")
        };
        match name.strip_prefix("inputs.") {
            Some(input) => {
                let default = &action["inputs"][input]["default"];
                let default = default.as_str().unwrap_or_else(|| panic!("there is no input {input}"));
                inputs.get(input).map_or_else(|| default.to_owned(), |given| (*given).to_owned())
            }
            None if name == "github.action_path" => root().display().to_string(),
            None => panic!("{name:?} is not known here"),
        }
    };
    let mut steps = Vec::new();
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(condition) = step["if"].as_str() {
            let input = condition.strip_suffix(" != ''").expect("the one form of a condition here");
            if value(&format!("${{{{ {input} }}}}")).is_empty() {
                continue;
            }
        }
        assert_eq!(step["shell"], "bash");
        let text = step["run"].as_str().unwrap();
        assert!(!text.contains("${{"), "an input in a shell text is run: {text}");
        let env = step["env"].as_object().unwrap();
        let env = env.iter().map(|(name, text)| (name.clone(), value(text.as_str().unwrap()))).collect();
        steps.push((step["name"].as_str().unwrap().to_owned(), text.to_owned(), env));
    }
    steps
}

/// Runs the action as GitHub's runner does; the names of the steps that ran, whether the last one passed,
/// and what was said.
fn act(here: &Path, inputs: &[(&str, &str)]) -> (Vec<String>, bool, String) {
    let paths = here.join(".git/github-path");
    fs::write(&paths, "").unwrap();
    let (mut names, mut all) = (Vec::new(), String::new());
    for (name, text, env) in steps(&inputs.iter().copied().collect()) {
        names.push(name);
        let mut found = OsString::from(fs::read_to_string(&paths).unwrap().trim());
        found.push(":");
        found.push(path());
        let shell = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", &text];
        let output = Command::new("bash")
            .args(shell)
            .current_dir(here)
            .env("PATH", found)
            .env("GITHUB_PATH", &paths)
            .envs(env)
            .output()
            .unwrap();
        all.push_str(&said(&output));
        if !output.status.success() {
            return (names, false, all);
        }
    }
    (names, true, all)
}

#[test]
fn the_action_finds_what_is_wrong() {
    let cases =
        "policyFile: ../shop.yaml\ncases: [{ name: nobody, expect: { state: { narrows_backend: null } } }]\n";
    let here = repository("action", &[("shop.yaml", GOOD), ("cases/shop.yaml", cases)]);
    let (names, passed, said) = act(&here, &[("cases", "cases"), ("sarif", "narrows.sarif")]);
    assert_eq!(names, ["Build narrows", "Write SARIF", "Lint", "Test"]);
    assert!(!passed && said.contains("::error file="), "the case is wrong: {said}");
    fs::write(
        here.join("cases/shop.yaml"),
        cases.replace("null", "stable").replace("expect", "send: { authority: shop.example.com }, expect"),
    )
    .unwrap();
    let (_, passed, said) = act(&here, &[("cases", "cases"), ("sarif", "narrows.sarif")]);
    assert!(passed, "{said}");

    fs::write(here.join("typo.yaml"), GOOD.replace("weight", "wieght")).unwrap();
    let (names, passed, said) =
        act(&here, &[("files", "shop.yaml\ntypo.yaml\n"), ("sarif", "narrows.sarif")]);
    assert_eq!(names, ["Build narrows", "Write SARIF", "Lint"]);
    assert!(!passed && said.contains("::error file=typo.yaml,line=6"), "{said}");
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(here.join("narrows.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "NRW101");

    let (_, passed, said) = act(&here, &[("arguments", "--ignore=NRW101")]);
    assert!(passed, "what is ignored is no finding: {said}");
    let (_, passed, _) = act(&here, &[("files", "$(touch hacked); ; missing.yaml")]);
    assert!(!passed && !here.join("hacked").exists(), "an input is not run");
}

#[test]
fn the_action_compares_with_the_base() {
    let here = repository("base", &[("a b.yaml", GOOD), ("other.yaml", "a: 1\n")]);
    fs::write(here.join("other.yaml"), "a: 2\n").unwrap();
    fs::write(here.join("a b.yaml"), GOOD.replace("20", "25")).unwrap();
    let (names, passed, said) = act(&here, &[("base", "HEAD")]);
    assert_eq!(names.last().map(String::as_str), Some("Compare"));
    assert!(passed && said.contains("nobody is sent back"), "{said}");
    fs::write(here.join("a b.yaml"), GOOD.replace("20", "10")).unwrap();
    let (_, passed, said) = act(&here, &[("base", "HEAD")]);
    assert!(!passed && said.contains("canary -> stable"), "{said}");
}

#[test]
fn the_hooks_run_in_pre_commit() {
    let pre_commit = root().join(".venv/bin/pre-commit");
    assert!(pre_commit.is_file(), "no {}: run make .venv/hooks", pre_commit.display());
    let pre_commit = pre_commit.to_str().unwrap();
    let cases = "policyFile: shop.yaml\ncases: [{ name: a, send: { authority: shop.example.com }, expect: { state: { narrows_backend: stable } } }]\n";
    let files = [("shop.yaml", GOOD), ("values.yaml", "image: {{ .x }}\n"), ("shop-cases.yaml", cases)];
    let here = repository("hooks", &files);
    // Of this checkout as it is, not of its last commit.
    let hooks = repository(
        "hooks-of",
        &[
            (".pre-commit-hooks.yaml", &fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap()),
            ("crates/cli/hook.sh", &fs::read_to_string(root().join("crates/cli/hook.sh")).unwrap()),
            ("Cargo.toml", &fs::read_to_string(root().join("Cargo.toml")).unwrap()),
        ],
    );
    run(&hooks, &["chmod", "+x", "crates/cli/hook.sh"]);
    run(
        &hooks,
        &["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-am", "b"],
    );
    let home = here.join(".git/home");
    let try_hook = |id: &str, files: &[&str]| {
        let mut words =
            vec!["env", "PRE_COMMIT_HOME=HOME", pre_commit, "try-repo", hooks.to_str().unwrap(), id];
        let set = format!("PRE_COMMIT_HOME={}", home.display());
        words[1] = &set;
        words.push("--files");
        words.extend(files);
        let output = command(&here, &words);
        (output.status.success(), said(&output))
    };
    let (passed, said) = try_hook("narrows-lint", &["shop.yaml", "values.yaml"]);
    assert!(passed && said.contains("Passed"), "{said}");
    fs::write(here.join("shop.yaml"), GOOD.replace("weight", "wieght")).unwrap();
    let (passed, said) = try_hook("narrows-lint", &["shop.yaml"]);
    assert!(!passed && said.contains("NRW101"), "{said}");
    let (passed, said) = try_hook("narrows-fix", &["shop.yaml"]);
    assert!(!passed && said.contains("files were modified by this hook"), "{said}");
    assert_eq!(fs::read_to_string(here.join("shop.yaml")).unwrap(), GOOD);
    let (passed, said) = try_hook("narrows-test", &["shop.yaml"]);
    assert!(passed && said.contains("Passed"), "{said}");
    fs::write(here.join("shop-cases.yaml"), cases.replace("stable", "canary")).unwrap();
    let (passed, said) = try_hook("narrows-test", &["shop.yaml"]);
    assert!(!passed && said.contains("1 failed"), "{said}");
}
