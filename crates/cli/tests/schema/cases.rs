//! The schema of case files agrees with their reader.

use std::fs;

use narrows::schema::Subject;
use narrows_cases::Written;
use serde_json::Value;

use super::{changes, misfit, policies};

#[test]
fn case_files_that_are_read_fit_and_others_do_not() {
    let (mut read, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for path in policies::case_files() {
        let file: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        // What is in a policy is the business of its own schema: as is what a case may pretend.
        let Value::Object(mut fields) = file.clone() else { panic!("{}", path.display()) };
        let pretends = |case: &Value| case.get("because").is_some();
        if let Some(cases) = fields.get_mut("cases").and_then(Value::as_array_mut) {
            cases.retain(|case| !pretends(case));
            cases.truncate(2);
        }
        for name in ["policy", "vm", "refused"] {
            fields.remove(name);
        }
        let small = Value::Object(fields);
        let mut file = file;
        if let Some(cases) = file["cases"].as_array_mut() {
            cases.retain(|case| !pretends(case));
        }
        for changed in [file].into_iter().chain(changes(&small)) {
            let reads = Written::parse(&changed.to_string());
            match (&reads, misfit(Subject::Cases, &changed)) {
                (Ok(_), None) => read += 1,
                (Err(_), Some(_)) => refused += 1,
                (Ok(_), Some(misfit)) => wrong.push(format!("{}: read, but {misfit}", path.display())),
                (Err(fault), None) if is_seen(&fault.message) => {
                    wrong.push(format!("{}: fits, but {fault}: {changed}", path.display()));
                }
                (Err(_), None) => {}
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        read + refused,
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(read >= 500 && refused >= 2_000, "{read} read, {refused} refused");
}

/// A schema does not see that two names are the same, or what is in a header line.
fn is_seen(message: &str) -> bool {
    !["two cases are called", "is not a header", "said twice"].iter().any(|unseen| message.contains(unseen))
}
