//! The tables of the filters' documents are those of the cases. `UPDATE=1` writes them anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use narrows_cases::table;
use narrows_harness::session::updates;
use narrows_runners::files;

#[test]
fn tables_of_behaviours_are_those_of_the_cases() -> anyhow::Result<()> {
    let write = updates();
    for readme in documents("README.md") {
        let folder = readme.parent().unwrap_or(&readme);
        let files = files(Some(&format!("{}/cases/", folder.display())))?;
        let changed = table::refresh(&readme, &files, write)? == Some(true);
        assert!(write || !changed, "{} is not up to date; run with UPDATE=1", readme.display());
    }
    Ok(())
}

#[test]
fn what_others_offer_is_shown_by_a_case() -> anyhow::Result<()> {
    let folder = narrows_harness::workspace().join("filters/header-router");
    let files = files(Some(&format!("{}/cases/", folder.display())))?;
    let mut names = BTreeSet::new();
    for file in &files {
        let label = file.label();
        let label = label.rsplit('/').next().unwrap_or_default();
        names.extend(file.cases.iter().map(|case| format!("{label}: {}", case.name)));
        names.extend(file.refused.iter().map(|refused| format!("{label}: {}", refused.name)));
    }
    assert!(names.len() >= 120, "{} cases", names.len());
    let readme = std::fs::read_to_string(folder.join("README.md"))?;
    let rows = readme.split("| elsewhere | here | shown by |").nth(1).expect("the table").lines().skip(2);
    let mut shown = 0;
    for row in rows.take_while(|row| row.starts_with('|')) {
        let case = row.trim_end_matches(" |").rsplit("| ").next().unwrap_or_default().trim_matches('`');
        assert!(names.contains(case), "no case is called {case:?}");
        shown += 1;
    }
    // One for each thing that a peer offers.
    assert_eq!(shown, 17);
    Ok(())
}

fn documents(name: &str) -> Vec<PathBuf> {
    let filters = std::fs::read_dir(narrows_harness::workspace().join("filters")).expect("there are filters");
    let paths = filters.filter_map(Result::ok).map(|folder| folder.path().join(name));
    paths.filter(|path| Path::is_file(path)).collect()
}
