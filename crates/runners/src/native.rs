//! The core's runner: the policy decides, and a model of Envoy's header map obeys.

use narrows_cases::{File, Runner};
use narrows_core::Invalid;
use narrows_harness::form::{COMMON, Form, PARTS};
use narrows_model::disagreements;

use crate::filter::Filter;

/// Runs a file's cases in a form; returns the disagreements.
pub fn run(file: &File, form: Form) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let own = Filter::named(&file.filter)?;
    let compile = |policy: &str| {
        let (filter, attached) = own.attached(form, policy)?;
        anyhow::Ok(filter.compile(&attached.policy))
    };
    let part = PARTS.iter().find(|(filter, _)| form == Form::Plugin && *filter == file.filter);
    let mut note = |name: &str, what: String| wrong.push(format!("{} [core] {name}: {what}", file.label()));
    for refused in &file.refused {
        match compile(&refused.policy.to_string())? {
            Ok(_) => note(&refused.name, "the policy loads".to_owned()),
            Err(invalid) if fault(&invalid) != within(part, &refused.fault) => {
                note(&refused.name, format!("refused with {invalid}"));
            }
            Err(_) => {}
        }
    }
    match compile(&file.policy)? {
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

/// A fault's code and place as the merged policy has it: in the part, unless the field is a common one.
fn within(part: Option<&(&str, &str)>, fault: &str) -> String {
    let (Some((_, part)), Some((code, place))) = (part, fault.split_once(' ')) else {
        return fault.to_owned();
    };
    let first = place.split(['.', '[']).next().unwrap_or_default();
    if COMMON.contains(&first) { fault.to_owned() } else { format!("{code} {part}.{place}") }
}
