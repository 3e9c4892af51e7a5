//! A second opinion: a library that is not ours reads the schemas as the checker of these tests does.

use std::fs;
use std::path::Path;
use std::process::Command;

use narrows::filter::Filter;
use narrows::schema::{self, Subject};
use narrows_oracle::Random;
use serde_json::{Value, json};

use super::policies::{case_files, policies as written, without_nulls};
use super::{changes, misfit};

/// Each policy and case file as it is, and so many changes of each.
const CHANGES: usize = 12;

#[test]
fn another_reader_of_json_schema_agrees() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    assert!(python.is_file(), "no {}: run make .venv/vectors", python.display());
    let mut random = Random::new(17);
    let mut asked = Vec::new();
    let mut ask = |subject: Subject, whole: Value| {
        let mut others = changes(&whole);
        let mut values = vec![whole];
        for _ in 0..CHANGES.min(others.len()) {
            values.push(others.swap_remove(random.below(others.len())));
        }
        for value in values {
            let fits = misfit(subject, &value).is_none();
            asked.push(json!({ "subject": subject.name(), "value": value, "fits": fits }));
        }
    };
    for (filter, _, policy) in written() {
        ask(Subject::Policy(filter), policy);
    }
    for path in case_files() {
        let file: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        ask(Subject::Cases, without_nulls(file));
    }
    let schemas: serde_json::Map<_, _> =
        Subject::all().map(|subject| (subject.name().to_owned(), schema::of(subject))).collect();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asked.json");
    fs::write(&file, json!({ "schemas": schemas, "asked": asked }).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/second.py");
    let output = Command::new(python).arg(script).arg(&file).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let counted: Vec<usize> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [fit, misfits] = counted[..] else { panic!("{said}") };
    assert!(fit >= 500 && misfits >= 1000, "{said}");
    assert!(Filter::ALL.len() < Subject::all().count());
}
