//! Do the manifests of the examples carry the policies that are tested?

use std::fs;
use std::path::{Path, PathBuf};

use narrows_core::{Tree, catalog};
use narrows_testkit::mesh;
use serde_json::Value;

#[test]
fn every_manifest_carries_a_policy_of_its_example() {
    let mut carried = 0;
    for example in folders() {
        let policies: Vec<Value> = yaml_in(&example)
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("policy")))
            .flat_map(|path| documents(&path))
            .collect();
        for path in yaml_in(&example.join("istio")) {
            for manifest in documents(&path) {
                let places = ["/spec/pluginConfig", "/spec/wasm/pluginConfig"];
                let Some(policy) = places.iter().find_map(|place| manifest.pointer(place)) else { continue };
                assert!(policies.contains(policy), "{}: not a policy of the example", path.display());
                let filter =
                    policy["filter"].as_str().unwrap_or_else(|| panic!("{}: no filter", path.display()));
                let url = ["/spec/url", "/spec/wasm/url"]
                    .iter()
                    .find_map(|place| manifest.pointer(place)?.as_str());
                assert!(url.unwrap().contains(&format!("/{filter}:")), "{}: {url:?}", path.display());
                let tree = Tree::parse(policy.to_string().as_bytes()).unwrap();
                catalog::check(filter, &tree).unwrap().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                carried += 1;
            }
        }
    }
    assert!(carried > 0);
}

/// A manifest whose name ends in a release is for that release.
#[test]
fn every_manifest_fits_the_release_that_it_names() {
    let narrows = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("narrows");
    let mut linted = 0;
    for path in folders().iter().flat_map(|example| yaml_in(&example.join("istio"))) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(release) = name.split('-').find(|word| word.starts_with("1.")) else { continue };
        let output = std::process::Command::new(&narrows)
            .args(["lint", "--istio", release])
            .arg(&path)
            .output()
            .expect("narrows is built with the tests of the workspace");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("0 warnings"), "{}: {said}", path.display());
        linted += 1;
    }
    assert!(linted > 10, "only {linted} manifests linted");
}

#[test]
fn every_example_has_a_story_a_policy_cases_and_manifests() {
    for example in folders() {
        for part in ["README.md", "policy.yaml", "cases", "istio"] {
            assert!(example.join(part).exists(), "{} has no {part}", example.display());
        }
        let readme = fs::read_to_string(example.join("README.md")).unwrap();
        let linked = |name: &str| readme.contains(&format!("({name})"));
        for path in yaml_in(&example.join("istio")) {
            let name = format!("istio/{}", path.file_name().unwrap().to_string_lossy());
            assert!(linked(&name), "{}/README.md does not mention {name}", example.display());
        }
    }
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(mesh::root().join("examples"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    folders
}

fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
