//! One JSON document.

use serde_json::json;

use crate::finding::Level;
use crate::lint::Checked;

pub(super) fn report(checked: &[Checked]) -> String {
    let findings = checked.iter().flat_map(|c| c.findings.iter().map(move |finding| (&c.source, finding)));
    let findings: Vec<_> = findings
        .map(|(source, finding)| {
            let (line, column) = source.position(finding.at.start);
            let (end_line, end_column) = source.position(finding.at.end);
            json!({
                "code": finding.code,
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
        .map(|c| json!({ "file": c.source.path, "policies": c.policies, "manifests": c.manifests, "weight": c.weight.bytes, "work": c.weight.work }))
        .collect();
    format!("{:#}\n", json!({ "files": files, "findings": findings }))
}

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}
