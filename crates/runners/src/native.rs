//! The core's runner: the policy decides, and a model of Envoy's header map obeys.

use narrows_cases::{File, Runner};
use narrows_core::Invalid;

use crate::compare::disagreements;
use crate::filter::Filter;

/// Runs a file's cases; returns the disagreements.
pub fn run(file: &File) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let filter = Filter::named(&file.filter)?;
    let mut note = |name: &str, what: String| wrong.push(format!("{} [core] {name}: {what}", file.label()));
    for refused in &file.refused {
        match filter.compile(&refused.policy.to_string()) {
            Ok(_) => note(&refused.name, "the policy loads".to_owned()),
            Err(invalid) if fault(&invalid) != refused.fault => {
                note(&refused.name, format!("refused with {invalid}"));
            }
            Err(_) => {}
        }
    }
    match filter.compile(&file.policy) {
        Ok(policy) => {
            for case in file.cases_for(Runner::Core) {
                for what in disagreements(&case.expect, &policy.run(case)) {
                    note(&case.name, what);
                }
            }
        }
        Err(invalid) => note("the policy", invalid.to_string()),
    }
    Ok(wrong)
}

/// The first fault's code and place.
fn fault(invalid: &Invalid) -> String {
    let first = invalid.faults().first();
    first.map(|fault| format!("{} {}", fault.code, fault.place).trim_end().to_owned()).unwrap_or_default()
}
