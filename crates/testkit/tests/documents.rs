//! The documents of the filters say what is so: their tables are made from the cases, and the
//! policies that they show load.
//!
//! `NARROWS_WRITE=1` writes the tables afresh.

use std::path::{Path, PathBuf};

use narrows_testkit::case::{self, filter::Filter, table};

#[test]
fn tables_of_behaviours_are_those_of_the_cases() -> anyhow::Result<()> {
    let write = std::env::var_os("NARROWS_WRITE").is_some();
    for readme in documents("README.md") {
        let folder = readme.parent().unwrap_or(&readme);
        let files = case::files(Some(&format!("{}/cases/", folder.display())))?;
        let changed = table::refresh(&readme, &files, write)? == Some(true);
        assert!(
            write || !changed,
            "{} is not up to date; set NARROWS_WRITE=1 and run again",
            readme.display()
        );
    }
    Ok(())
}

#[test]
fn policies_in_the_documents_load() -> anyhow::Result<()> {
    for (document, filter) in [("README.md", "header-router"), ("COMING-FROM.md", "header-router")] {
        let path = case::workspace().join("filters").join(filter).join(document);
        let text = std::fs::read_to_string(&path)?;
        let mut policies = 0;
        for block in text.split("```json\n").skip(1) {
            let policy = block.split("```").next().unwrap_or_default();
            // A part of a policy is shown as the whole of one would hold it.
            let whole = if policy.trim_start().starts_with("{ \"name\"")
                || policy.trim_start().starts_with("{\"name\"")
            {
                format!("{{\"rules\":[{policy}]}}")
            } else {
                policy.to_owned()
            };
            let compiled = Filter::named(filter)?.compile(&whole);
            assert!(compiled.is_ok(), "{}: {}\n{policy}", path.display(), compiled.err().unwrap());
            policies += 1;
        }
        assert!(policies > 0, "{} shows no policy", path.display());
    }
    Ok(())
}

fn documents(name: &str) -> Vec<PathBuf> {
    let filters = std::fs::read_dir(case::workspace().join("filters")).expect("there are filters");
    let paths = filters.filter_map(Result::ok).map(|folder| folder.path().join(name));
    paths.filter(|path| Path::is_file(path)).collect()
}
