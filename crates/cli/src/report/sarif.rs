//! SARIF 2.1.0 (OASIS), for code scanning.

use serde_json::json;

use crate::code::Code;
use crate::code::example::Example;
use crate::lint::Checked;

/// What the name of a code's explanation begins with where no site has it. `narrows explain CODE` prints it.
const HELP: &str = "urn:narrows:code:";
/// Where the site that `make docs` makes has the page of a code.
const PAGES: &str = "docs/reference/codes/";

pub(super) fn report(checked: &[Checked], docs: Option<&str>) -> String {
    let help = |id: &str| match docs {
        Some(docs) => format!("{}/{PAGES}{id}.html", docs.trim_end_matches('/')),
        None => format!("{HELP}{id}"),
    };
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
                "help": {
                    "text": format!("{}\n\nnarrows explain {}", code.text, code.id),
                    "markdown": markdown(code),
                },
                "helpUri": help(code.id),
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

/// What a scanner shows beside a finding: the text, and both examples.
fn markdown(code: &Code) -> String {
    let mut text = format!("{}\n", code.text.replace('*', "\\*").replace('<', "\\<"));
    if let Some(example) = Example::of(code.id) {
        for (what, file) in [("Wrong", example.bad()), ("Right", example.good())] {
            text.push_str(&format!("\n{what}:\n\n```yaml\n{file}```\n"));
        }
    }
    text
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
