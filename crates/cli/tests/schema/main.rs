//! The schemas agree with the readers: what loads fits, and what is refused for its form does not.

mod cases;
mod check;
mod documents;
mod limits;
mod most;
mod policies;
mod resources;
mod second;

use std::fs;
use std::path::Path;

use check::Schema;
use narrows::filter::Filter;
use narrows::schema::{self, Subject};
use narrows_core::{Code, PolicyValue};
use serde_json::{Value, json};

use policies::policies;

/// `UPDATE=1` writes them.
#[test]
fn schemas_are_those_in_the_repository() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    for subject in Subject::all() {
        let path = folder.join(format!("{}.json", subject.name()));
        let written = format!("{:#}\n", schema::of(subject));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, written).unwrap();
        } else {
            let kept = fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == written, "{} is not up to date; set UPDATE=1 and run again", path.display());
        }
    }
}

#[test]
fn policies_that_load_fit_and_others_do_not() {
    let (mut loaded, mut refused) = (0, 0);
    for (filter, place, policy) in policies() {
        match agree(filter, &policy) {
            Ok(Some(true)) => loaded += 1,
            Ok(Some(false)) => refused += 1,
            Ok(None) => {}
            Err(message) => panic!("{place}: {message}\n{policy:#}"),
        }
    }
    assert!(loaded >= 130, "{loaded} policies load");
    assert!(refused >= 8, "{refused} policies are refused for their form");
}

/// Each policy with a field more, a field less, or a value of another type, wherever there is one.
#[test]
fn what_is_changed_in_a_policy_makes_no_difference_between_them() {
    let (mut fitting, mut misfits) = (0, 0);
    let mut wrong = std::collections::BTreeMap::new();
    for (filter, place, policy) in policies() {
        for changed in changes(&policy) {
            match agree(filter, &changed) {
                Ok(Some(true)) => fitting += 1,
                Ok(Some(false)) => misfits += 1,
                Ok(None) => {}
                Err(message) => _ = wrong.insert(message, place.clone()),
            }
        }
    }
    let lines: Vec<_> = wrong.iter().map(|(message, place)| format!("{place}: {message}")).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    assert!(fitting >= 2000, "{fitting} changed policies load");
    assert!(misfits >= 20_000, "{misfits} changed policies are refused for their form");
}

/// Whether a policy loads, if reader and schema say the same of it; `None` if it is refused for
/// what no schema sees.
fn agree(filter: Filter, policy: &Value) -> Result<Option<bool>, String> {
    let tree = PolicyValue::parse(policy.to_string().as_bytes()).map_err(|e| e.to_string())?;
    let misfit = misfit(Subject::Policy(filter), policy);
    match filter.compile(&tree) {
        Ok(_) => misfit.map_or(Ok(Some(true)), |misfit| Err(format!("it loads, but {misfit}"))),
        Err(invalid) => {
            let is_form = |code| matches!(code, Code::UnknownField | Code::WrongType | Code::MissingField);
            let is_seen = invalid.faults().iter().any(|f| is_form(f.code) && !DEPENDS.contains(&&*f.message));
            match (is_seen, misfit) {
                (true, None) => Err(format!("it fits, but {invalid}")),
                (true, Some(_)) => Ok(Some(false)),
                (false, _) => Ok(None),
            }
        }
    }
}

/// What is missing only because of what is written elsewhere, or is there and empty.
const DEPENDS: [&str; 2] = ["it is not clear which backend is chosen", "no source is named"];

/// What of a value does not fit, if anything.
fn misfit(subject: Subject, value: &Value) -> Option<String> {
    thread_local! {
        static ALL: Vec<(Subject, Value)> =
            Subject::all().map(|subject| (subject, schema::of(subject))).collect();
    }
    ALL.with(|all| {
        let (_, schema) = all.iter().find(|(of, _)| *of == subject).unwrap();
        Schema(schema).misfit(value)
    })
}

/// A policy with one thing changed.
fn changes(policy: &Value) -> Vec<Value> {
    let mut changed = Vec::new();
    change(policy, &|value| value, &mut changed);
    changed.retain(Value::is_object);
    changed
}

fn change(value: &Value, within: &dyn Fn(Value) -> Value, changed: &mut Vec<Value>) {
    for other in [json!(7), json!("x"), json!([]), json!({}), json!(true)] {
        changed.push(within(other));
    }
    match value {
        Value::Object(fields) => {
            let with = |name: &str, value: Option<Value>| {
                let mut fields = fields.clone();
                match value {
                    Some(value) => fields.insert(name.to_owned(), value),
                    None => fields.remove(name),
                };
                within(Value::Object(fields))
            };
            changed.push(with("an unknown field", Some(json!(1))));
            for (name, value) in fields {
                changed.push(with(name, None));
                change(value, &|value| with(name, Some(value)), changed);
            }
        }
        Value::Array(elements) => {
            // Of long lists the rest is like the first.
            for (at, element) in elements.iter().enumerate().take(2) {
                let with = |value: Value| {
                    let mut elements = elements.clone();
                    elements[at] = value;
                    within(Value::Array(elements))
                };
                change(element, &with, changed);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
