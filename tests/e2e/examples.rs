//! Are the examples what they say: manifests made from the policies that are tested, for
//! releases that take them, on proxies that exist, in the right order?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use narrows_cases::Runner;
use narrows_harness::root;
use narrows_runners::files;
use serde_json::Value;

mod manifests;
mod routes;

/// The releases of Istio that every example is attached to: the reference platform's, a
/// current one, and the first with a `TrafficExtension`.
const RELEASES: [&str; 3] = ["1.15", "1.27", "1.30"];

#[test]
fn every_example_has_a_story_a_policy_cases_and_manifests() {
    for example in folders() {
        for part in ["README.md", "policy.yaml", "cases", "istio"] {
            assert!(example.join(part).exists(), "{} has no {part}", example.display());
        }
        let readme = fs::read_to_string(example.join("README.md")).unwrap();
        let linked = |name: &str| readme.contains(&format!("({name})"));
        let manifests = yaml_in(&example.join("istio"));
        let names = manifests.iter().map(|path| format!("istio/{}", name(path)));
        for name in names.chain(policies(&example).iter().map(|path| name(path))) {
            assert!(linked(&name), "{}/README.md does not mention {name}", example.display());
        }
    }
}

/// As the table of the examples says.
#[test]
fn every_case_of_an_example_runs_in_envoy() {
    let examples = root().join("examples");
    let files = files(None).unwrap();
    let mut run = 0;
    for file in files.iter().filter(|file| within(&examples, &file.path)) {
        assert_eq!(file.cases_for(Runner::Envoy).count(), file.cases.len(), "{}", file.label());
        run += file.cases.len();
    }
    assert!(run > 80, "only {run} cases");
}

fn within(folder: &Path, path: &Path) -> bool {
    path.canonicalize().unwrap().starts_with(folder.canonicalize().unwrap())
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root().join("examples"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    folders
}

fn policies(example: &Path) -> Vec<PathBuf> {
    let mut files = yaml_in(example);
    files.retain(|path| name(path).starts_with("policy"));
    files
}

fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// `narrows`, in the root of the project.
fn narrows(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(narrows_tests::narrows()).args(arguments).current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}
