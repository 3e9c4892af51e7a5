//! SARIF 2.1.0 (OASIS), for code scanning.

use serde_json::json;

use crate::lint::Checked;

/// What an address of a code's explanation begins with. `narrows explain CODE` prints it.
const HELP: &str = "urn:narrows:code:";

pub(super) fn report(checked: &[Checked]) -> String {
    let mut codes: Vec<_> = checked.iter().flat_map(|c| &c.findings).map(|finding| finding.code).collect();
    codes.sort_unstable_by_key(|code| code.id);
    codes.dedup();
    let rules: Vec<_> = codes
        .iter()
        .map(|code| {
            json!({
                "id": code.id,
                "shortDescription": { "text": code.title },
                "fullDescription": { "text": code.text },
                "help": { "text": format!("{}\n\nnarrows explain {}", code.text, code.id) },
                "helpUri": format!("{HELP}{}", code.id),
            })
        })
        .collect();
    let results: Vec<_> = super::json::placed(checked)
        .map(|(source, [(line, column), (end_line, end_column)], finding)| {
            json!({
                "ruleId": finding.code.id,
                "level": super::json::level(finding.level),
                "message": { "text": format!("{}; {}", finding.message, finding.help) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri(&source.path) },
                    "region": {
                        "startLine": line, "startColumn": column,
                        "endLine": end_line, "endColumn": end_column,
                    },
                } }],
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "narrows", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

/// A path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
