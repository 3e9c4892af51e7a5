//! The table of behaviours in a filter's README, made from its cases.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use super::File;

/// Between these lines stands what [`table`] has written.
const BEGIN: &str = "<!-- made from the cases: UPDATE=1 cargo test --locked --workspace --test documents -->";
const END: &str = "<!-- end -->";

/// A row for each file: what it is about, and the names of its cases.
pub fn table(files: &[File]) -> String {
    let mut table = String::from("| behaviour | shown by |\n|---|---|\n");
    for file in files {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let cases = file.cases.iter().map(|case| &*case.name);
        let names: Vec<&str> = cases.chain(file.refused.iter().map(|refused| &*refused.name)).collect();
        let about = file.about.replace('|', "\\|");
        // Writing to a string cannot fail.
        _ = writeln!(table, "| [{about}](cases/{name}) | {} |", names.join(" · ").replace('|', "\\|"));
    }
    table
}

/// Puts the table into a document that has a place for one. Returns whether that changed it; the
/// document is written only if `write` says so. `None` if it has no such place.
pub fn refresh(document: &Path, files: &[File], write: bool) -> anyhow::Result<Option<bool>> {
    let text = std::fs::read_to_string(document).with_context(|| document.display().to_string())?;
    let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(None) };
    let (_, after) = rest.split_once(END).with_context(|| format!("no {END} in {}", document.display()))?;
    let fresh = format!("{before}{BEGIN}\n\n{}\n{END}{after}", table(files));
    if write && fresh != text {
        std::fs::write(document, &fresh)?;
    }
    Ok(Some(fresh != text))
}
