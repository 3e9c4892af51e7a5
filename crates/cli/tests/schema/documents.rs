//! The tables of fields in the documents of the filters say what the readers do.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use narrows::filter::Filter;
use narrows_core::describe::{Absent, Field, Object, Type};

/// Every field that a filter's policy may have, and those that it shares with others.
fn fields(filter: Filter) -> Vec<Field> {
    let (mut fields, mut seen) = (Vec::new(), BTreeSet::new());
    of_object(filter.language(), &mut fields, &mut seen);
    fields
}

fn of_object(object: &'static Object, fields: &mut Vec<Field>, seen: &mut BTreeSet<&'static str>) {
    if seen.insert(object.summary.name) {
        object.includes.iter().for_each(|included| of_object(included, fields, seen));
        fields.extend(object.fields);
        object.fields.iter().for_each(|field| of_type(&field.about.kind, fields, seen));
    }
}

fn of_type(kind: &Type, fields: &mut Vec<Field>, seen: &mut BTreeSet<&'static str>) {
    match kind {
        Type::Table(object) => of_object(object, fields, seen),
        Type::List(kind, ..) | Type::Map(_, kind, _) => of_type(kind, fields, seen),
        Type::Either(kinds) => kinds.iter().for_each(|kind| of_type(kind, fields, seen)),
        _ => {}
    }
}

fn readme(filter: Filter) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../filters");
    fs::read_to_string(root.join(filter.name()).join("README.md")).unwrap()
}

/// The words that stand as code in a text.
fn code(text: &str) -> BTreeSet<&str> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).collect()
}

#[test]
fn every_field_is_in_a_document() {
    let shared = readme(Filter::HeaderRouter);
    let all: String = Filter::ALL.map(readme).concat();
    for filter in Filter::ALL {
        // The parts of a merged policy are in the documents of their filters.
        let own = if filter == Filter::Narrows { all.clone() } else { readme(filter) };
        let shown: BTreeSet<&str> = code(&own).into_iter().chain(code(&shared)).collect();
        let missing: Vec<_> =
            fields(filter).iter().map(|field| field.name).filter(|name| !shown.contains(name)).collect();
        assert!(missing.is_empty(), "the README of {} does not name {missing:?}", filter.name());
    }
}

#[test]
fn tables_name_fields_that_there_are_with_their_defaults() {
    let mut checked = 0;
    for filter in Filter::ALL {
        let known = fields(filter);
        let text = readme(filter);
        let mut has_default = None;
        for line in text.lines() {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            has_default = match (cells.first(), cells.get(1)) {
                (Some(&"field"), second) => Some(second == Some(&"default")),
                _ if line.starts_with('|') => has_default,
                _ => None,
            };
            let (Some(has_default), true) =
                (has_default, cells.first().is_some_and(|cell| cell.contains('`')))
            else {
                continue;
            };
            for name in cells[0].split('`').skip(1).step_by(2) {
                let name = name.rsplit('.').next().unwrap();
                let described: Vec<_> = known.iter().filter(|field| field.name == name).collect();
                assert!(!described.is_empty(), "{}: there is no field {name:?}: {line}", filter.name());
                let fits = described.iter().any(|field| !has_default || is_default(field, cells[1]));
                assert!(fits, "{}: another default of {name:?}: {line}", filter.name());
                checked += 1;
            }
        }
    }
    assert!(checked >= 70, "{checked} fields in tables");
}

/// Whether a table says what holds without a field.
fn is_default(field: &Field, cell: &str) -> bool {
    let says_required = cell.starts_with("required");
    match field.about.absent {
        Absent::Required => says_required,
        // A backend's destination is required of a canary.
        Absent::Optional => cell == "required of a canary" || !says_required,
        Absent::Says(text) => cell.contains(text),
        Absent::Counts(number) => cell.replace(',', "").contains(&number.to_string()),
        Absent::Holds(flag) => cell.contains(&flag.to_string()),
    }
}
