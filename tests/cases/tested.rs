//! What `narrows test` says of every case file, as a user runs it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// How each case ended, by its file and name.
pub(super) type Ends = BTreeMap<(String, String), (String, String)>;

/// Runs it on these folders of the workspace.
pub(super) fn run(folders: &[&str]) -> anyhow::Result<Ends> {
    let output = Command::new(narrows_tests::narrows())
        .current_dir(narrows_harness::workspace())
        .args(["test", "--format", "json"])
        .args(folders)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let results: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| anyhow::anyhow!("{e}: {said}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut ends = BTreeMap::new();
    for file in results["files"].as_array().into_iter().flatten() {
        for case in file["cases"].as_array().into_iter().flatten() {
            let end = (text(&case["status"]), case["faults"].to_string());
            ends.insert((text(&file["file"]), text(&case["name"])), end);
        }
    }
    Ok(ends)
}
