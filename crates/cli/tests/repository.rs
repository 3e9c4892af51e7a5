//! Whatever this repository ships for operators is without a finding.

use std::fs;
use std::path::{Path, PathBuf};

use narrows::istio::Release;
use narrows::lint::{self, Options};
use narrows::report::{self, Format, Screen};
use narrows::source::SourceFile;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The YAML files below a directory, those of case files and composition left out.
fn files(below: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("cases") {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

/// The release in a file's name, `wasmplugin-1.15.yaml`.
fn release(path: &Path) -> Option<Release> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.split('-').find_map(|part| part.parse().ok())
}

#[test]
fn examples_are_clean() {
    let mut all = Vec::new();
    files(&root().join("examples"), &mut all);
    let checked: Vec<_> = all
        .iter()
        .map(|path| {
            lint::check(
                SourceFile::read(path).unwrap(),
                &Options { istio: release(path), ..Options::default() },
            )
        })
        .collect();
    let faulty: Vec<_> = checked.iter().filter(|checked| !checked.findings.is_empty()).cloned().collect();
    assert!(faulty.is_empty(), "{}", report::report(Format::Text, &faulty, Screen::default()));
    assert!(checked.iter().any(|checked| checked.manifests > 0), "no manifest was found");
}

#[test]
fn the_mesh_is_clean() {
    let mut all = Vec::new();
    files(&root().join("envoy-configs"), &mut all);
    let checked: Vec<_> = all
        .iter()
        .map(|path| SourceFile::read(path).unwrap())
        .filter(|source| source.text.contains("\nstatic_resources:"))
        .map(|source| lint::check(source, &Options::default()))
        .collect();
    let faulty: Vec<_> = checked.iter().filter(|checked| !checked.findings.is_empty()).cloned().collect();
    assert!(faulty.is_empty(), "{}", report::report(Format::Text, &faulty, Screen::default()));
    assert!(checked.iter().map(|checked| checked.policies).sum::<usize>() > 0, "no policy was found");
}
