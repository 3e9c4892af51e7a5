//! One JSON document.

use serde_json::json;

use crate::finding::{Finding, Level};
use crate::lint::Checked;
use crate::source::SourceFile;

/// The version of this format. It changes when a field is taken away or changes its meaning.
const VERSION: u32 = 1;

pub(super) fn report(checked: &[Checked]) -> String {
    let findings: Vec<_> = placed(checked)
        .map(|(source, [(line, column), (end_line, end_column)], finding)| {
            json!({
                "code": finding.code.id,
                "level": level(finding.level),
                "file": source.path,
                "line": line,
                "column": column,
                "endLine": end_line,
                "endColumn": end_column,
                "place": finding.place,
                "message": finding.message,
                "help": finding.help,
            })
        })
        .collect();
    let files: Vec<_> = checked
        .iter()
        .map(|c| json!({ "file": c.source.path, "policies": c.policies, "manifests": c.manifests, "weight": c.heaviest(), "work": c.dearest(), "accepted": c.accepted }))
        .collect();
    format!("{:#}\n", json!({ "version": VERSION, "files": files, "findings": findings }))
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// Every finding with its file, and the line and column where it begins and ends.
pub(super) fn placed(
    checked: &[Checked],
) -> impl Iterator<Item = (&SourceFile, [(usize, usize); 2], &Finding)> {
    checked.iter().flat_map(|Checked { source, findings, .. }| {
        let lines = source.lines();
        let place = move |finding: &Finding| [finding.at.start, finding.at.end].map(|at| lines.position(at));
        findings.iter().map(move |finding| (source, place(finding), finding))
    })
}
