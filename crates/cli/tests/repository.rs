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

/// What is applied together is linted together: of each example the files of a release, with those that are for
/// any; and what is for no release by itself.
#[test]
fn examples_are_clean() {
    let mut examples: Vec<PathBuf> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    let mut checked = Vec::new();
    for example in examples.iter().filter(|path| path.is_dir()) {
        let mut all = Vec::new();
        files(example, &mut all);
        let mut releases: Vec<_> = all.iter().map(|path| release(path)).collect();
        releases.sort();
        releases.dedup();
        for istio in releases {
            let together = all.iter().filter(|path| release(path).is_none() || release(path) == istio);
            let sources = together.map(|path| SourceFile::read(path).unwrap()).collect();
            // An example is for several clusters, and each may have a resource of this name.
            let ignore = vec!["NRW633".to_owned()];
            checked.extend(lint::check_all(sources, &Options { istio, ignore, ..Options::default() }));
        }
    }
    let faulty: Vec<_> = checked.iter().filter(|checked| !checked.findings.is_empty()).cloned().collect();
    assert!(faulty.is_empty(), "{}", report::report(Format::Text, &faulty, Screen::default()));
    assert!(checked.iter().any(|checked| checked.manifests > 0), "no manifest was found");
}

#[test]
fn the_mesh_is_clean() {
    let mut all = Vec::new();
    files(&root().join("envoy-configs"), &mut all);
    let sources = all.iter().map(|path| SourceFile::read(path).unwrap());
    let sources = sources.filter(|source| source.text.contains("\nstatic_resources:")).collect();
    let checked = lint::check_all(sources, &Options::default());
    let faulty: Vec<_> = checked.iter().filter(|checked| !checked.findings.is_empty()).cloned().collect();
    assert!(faulty.is_empty(), "{}", report::report(Format::Text, &faulty, Screen::default()));
    assert!(checked.iter().map(|checked| checked.policies).sum::<usize>() > 0, "no policy was found");
}
