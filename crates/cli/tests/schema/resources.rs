//! The schemas of whole resources agree with lint.

use std::fs;
use std::path::Path;

use narrows::documents;
use narrows::lint::{self, Options};
use narrows::schema::Subject;
use narrows::source::SourceFile;
use serde_json::Value;

use super::{changes, misfit, policies};

#[test]
fn resources_that_lint_takes_fit_and_others_do_not() {
    let (mut fitting, mut misfits) = (0, 0);
    let mut wrong = Vec::new();
    for (subject, place, resource) in resources() {
        for changed in [resource.clone()].into_iter().chain(changes(&resource)) {
            // Without its kind or its module it is nothing that lint knows.
            if changed["kind"] != resource["kind"] || !changed["spec"].is_object() {
                continue;
            }
            let found = codes(&changed);
            let is_form = |code: &String| FORM.contains(&code.as_str());
            match (found.iter().any(is_form), misfit(subject, &changed)) {
                (false, None) => fitting += 1,
                (true, Some(_)) => misfits += 1,
                (true, None) => wrong.push(format!("{place}: it fits, but {found:?}: {changed}")),
                // A filter that nothing names is not looked at; what a policy must be besides is not seen.
                (false, Some(misfit))
                    if found.is_empty() && changed["spec"]["url"] == resource["spec"]["url"] =>
                {
                    wrong.push(format!("{place}: lint is silent, but {misfit}"));
                }
                (false, Some(_)) => {}
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(fitting >= 100 && misfits >= 500, "{fitting} fit, {misfits} do not");
}

/// An unknown field, a value of another type, a missing field: of a resource and of a policy.
const FORM: [&str; 6] = ["NRW602", "NRW603", "NRW604", "NRW101", "NRW102", "NRW103"];

fn codes(resource: &Value) -> Vec<String> {
    let source = SourceFile { path: String::new(), text: resource.to_string() };
    lint::check(source, &Options::default())
        .findings
        .iter()
        .map(|finding| finding.code.id.to_owned())
        .collect()
}

/// The plugins of the examples, for the newest release.
fn resources() -> Vec<(Subject, String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found = Vec::new();
    for path in policies::files(&root, "yaml") {
        let source = SourceFile { path: String::new(), text: fs::read_to_string(&path).unwrap() };
        for document in source.documents().unwrap() {
            for resource in documents::resources(&document) {
                let subject = match resource.text_at("kind") {
                    Some("WasmPlugin") => Subject::WasmPlugin,
                    Some("TrafficExtension") => Subject::TrafficExtension,
                    _ => continue,
                };
                let value = policies::without_nulls(policies::value(&resource.tree()));
                found.push((subject, path.display().to_string(), value));
            }
        }
    }
    found
}
