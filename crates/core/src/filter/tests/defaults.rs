//! A default that is written means the same as one that is left out.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::{describe, of_egress, of_lanes, of_router, of_splitter, of_tagger};
use crate::filter::egress::Egress;
use crate::filter::lanes::Lanes;
use crate::filter::router::Router;
use crate::filter::split::Splitter;
use crate::filter::tags::Tagger;
use crate::language::describe::{Absent, Field, Object, Type};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::policy::{Policy, vm_config};

/// A default, by its object and field.
type Default = (&'static str, &'static str);

/// A default as a policy writes it.
fn written(field: &Field) -> Option<PolicyValue> {
    match field.about.absent {
        Absent::Required | Absent::Optional => None,
        Absent::Says(text) => Some(PolicyValue::Text(text.to_owned())),
        Absent::Counts(number) => Some(PolicyValue::Integer(number)),
        Absent::Holds(flag) => Some(PolicyValue::Flag(flag)),
    }
}

/// A value once for each default that it leaves out, with that default written.
fn variants(value: &PolicyValue, kind: &'static Type) -> Vec<(Default, PolicyValue)> {
    match (kind, value) {
        (Type::Table(object), PolicyValue::Table(fields)) => of_object(object, fields),
        (Type::Map(_, kind, _), PolicyValue::Table(fields)) => {
            let each = fields.iter().enumerate();
            each.flat_map(|(at, (_, value))| replaced(fields, at, variants(value, kind))).collect()
        }
        (Type::List(kind, ..), PolicyValue::List(values)) => {
            let each = values.iter().enumerate();
            let each = each.flat_map(|(at, value)| variants(value, kind).into_iter().map(move |v| (at, v)));
            let with = |(at, (default, value)): (usize, (Default, PolicyValue))| {
                let mut values = values.clone();
                values[at] = value;
                (default, PolicyValue::List(values))
            };
            each.map(with).collect()
        }
        (Type::Either(kinds), _) => kinds.iter().flat_map(|kind| variants(value, kind)).collect(),
        _ => Vec::new(),
    }
}

fn of_object(object: &'static Object, fields: &[(String, PolicyValue)]) -> Vec<(Default, PolicyValue)> {
    let mut all: Vec<_> = object.includes.iter().flat_map(|included| of_object(included, fields)).collect();
    for field in object.fields {
        match (fields.iter().position(|(name, _)| name == field.name), written(field)) {
            (Some(at), _) => all.extend(replaced(fields, at, variants(&fields[at].1, &field.about.kind))),
            (None, Some(value)) => {
                let more = [fields, &[(field.name.to_owned(), value)]].concat();
                all.push(((object.summary.name, field.name), PolicyValue::Table(more)));
            }
            (None, None) => {}
        }
    }
    all
}

/// A table with each of these variants of its field at `at`.
fn replaced(
    fields: &[(String, PolicyValue)],
    at: usize,
    variants: Vec<(Default, PolicyValue)>,
) -> Vec<(Default, PolicyValue)> {
    let with = |value| {
        let mut fields = fields.to_vec();
        fields[at].1 = value;
        PolicyValue::Table(fields)
    };
    variants.into_iter().map(|(default, value)| (default, with(value))).collect()
}

/// Compiles policies without their defaults and with them. Every default of the language must be among
/// those that the policies leave out.
fn defaults_hold<P: Policy + Debug>(policies: &[String]) {
    // What a policy weighs includes its text, which is longer with a default.
    let compiled = |policy: &PolicyValue| {
        let text = P::compile(policy).map(|policy| format!("{policy:?}"))?;
        let (before, after) = text.split_once("Weight { bytes: ").unwrap();
        // And so do its parts.
        let after = after.split_once('}').map_or(after, |(_, rest)| rest);
        Ok::<_, Invalid>(format!("{before}{after}"))
    };
    let mut described = BTreeMap::new();
    describe(P::LANGUAGE, &mut described);
    let defaults = described.iter().flat_map(|(object, fields)| {
        let fields = fields.iter().filter(|field| written(field).is_some());
        fields.map(|field| (*object, field.name))
    });
    let mut untried: BTreeSet<Default> = defaults.collect();
    for text in policies {
        let policy = PolicyValue::parse(text.as_bytes()).unwrap();
        let PolicyValue::Table(fields) = &policy else { unreachable!("a policy is a table") };
        for (default, with) in of_object(P::LANGUAGE, fields) {
            // Some defaults may not be written everywhere: a baseline has no weight.
            if let Ok(with) = compiled(&with) {
                assert_eq!(Ok(with), compiled(&policy), "{default:?}");
                untried.remove(&default);
            }
        }
    }
    assert!(untried.is_empty(), "no policy leaves these out: {untried:?}");
}

#[test]
fn a_default_means_what_is_described() {
    defaults_hold::<Router>(&of_router());
    defaults_hold::<Splitter>(&of_splitter());
    defaults_hold::<Tagger>(&of_tagger());
    defaults_hold::<Egress>(&of_egress());
    defaults_hold::<Lanes>(&of_lanes());
    assert_eq!(vm_config::strict(b"{}"), vm_config::strict(br#"{"strict": false}"#));
}
