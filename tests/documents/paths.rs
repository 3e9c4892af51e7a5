//! The files that the documents name are there.

use narrows_harness::root;

use super::markdown_files;

/// What a name in backquotes starts with if it is a file of the project.
const FOLDERS: [&str; 6] = ["crates/", "envoy-configs/", "examples/", "filters/", "fuzz/", "tests/"];

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut seen = 0;
    let mut missing = Vec::new();
    for document in markdown_files().into_iter().filter(|file| !file.ends_with("CHANGELOG.md")) {
        let text = std::fs::read_to_string(&document).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
            if !FOLDERS.iter().any(|folder| name.starts_with(folder)) || !name.bytes().all(plain) {
                continue;
            }
            seen += 1;
            let beside = document.parent().unwrap_or(&document);
            if !root().join(name).exists() && !beside.join(name).exists() {
                missing.push(format!("{}: {name}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
    assert!(seen >= 40, "only {seen} files are named");
}
