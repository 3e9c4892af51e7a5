//! Every command in the documents prints what is shown. `UPDATE=1` writes what happened instead.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use narrows_harness::root;
use narrows_harness::session::Session;

use super::markdown_files;

#[test]
fn every_command_in_the_documentation_prints_what_is_shown() {
    let narrows = narrows_tests::narrows();
    let session = Session { directory: root(), programs: narrows.parent().unwrap().to_owned() };
    let mut shown_by = BTreeSet::new();
    let mut wrong = String::new();
    // The command line's run in its fixtures: see crates/cli/tests/transcripts.rs.
    // And the tutorial in a folder of its own, with an Envoy: see tests/e2e/tutorial.rs.
    let its_own =
        [root().join("crates/cli"), root().join("docs/case-files.md"), root().join("docs/tutorial.md")];
    let is_its_own = |file: &Path| its_own.iter().any(|own| file.starts_with(own));
    for file in markdown_files().into_iter().filter(|file| !is_its_own(file)) {
        match session.check(&file) {
            Ok(0) => {}
            Ok(_) => drop(shown_by.insert(file)),
            Err(error) => wrong.push_str(&format!("{error:#}\n")),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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
