//! What is described is read. That what is read is described, [`Fields`] asserts wherever it is
//! tested.
//!
//! [`Fields`]: crate::language::read::Fields

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::egress::Egress;
use crate::filter::lanes::Lanes;
use crate::filter::merged::Merged;
use crate::filter::router::Router;
use crate::filter::split::Splitter;
use crate::filter::tags::Tagger;
use crate::language::describe::{Field, Object, Type, recorder};
use crate::language::policy_value::PolicyValue;
use crate::policy::{Policy, vm_config};

mod defaults;

/// Matches in which every test of a value and of a path is read.
const MATCHES: [&str; 12] = [
    r#"{"headers": {"i": {"semver": ">=1"}}, "metadata": [{"path": ["a", "b"], "exact": "a"}]}"#,
    r#"{"hosts": ["a"], "source": {"cidrs": ["10.0.0.0/8"]}, "queryParams": {"q": {"exact": "a"}}}"#,
    r#"{"headers": {"a": {"exact": "a"}, "b": {"prefix": "a"}, "c": {"suffix": "a"}, "d": {"contains": "a"}}}"#,
    r#"{"headers": {"e": {"regex": "a"}, "f": {"in": ["a"]}, "g": {"range": {"from": 1, "to": 2}}}}"#,
    r#"{"headers": {"h": {"present": true}}, "path": {"exact": "/a"}}"#,
    r#"{"path": {"prefix": "/a"}, "scheme": "https"}"#,
    r#"{"path": {"suffix": "a"}}"#,
    r#"{"path": {"contains": "a"}}"#,
    r#"{"path": {"regex": "a"}}"#,
    r#"{"path": {"in": ["/a"]}}"#,
    r#"{"path": {"pathPrefix": "/a"}}"#,
    r#"{"path": {"template": "/{a}"}}"#,
];

/// Whether reading these policies asks for every field that the filter's language describes.
fn fields_are_read<P: Policy>(policies: &[String]) {
    recorder::take();
    for policy in policies {
        let compiled = P::compile(&PolicyValue::parse(policy.as_bytes()).unwrap());
        assert!(compiled.is_ok(), "{policy}: {}", compiled.err().unwrap());
    }
    let asked = recorder::take();
    let mut described = BTreeMap::new();
    describe(P::LANGUAGE, &mut described);
    let unread: Vec<_> = described
        .into_iter()
        .flat_map(|(object, fields)| fields.iter().map(move |field| (object, field.name)))
        .filter(|field| !asked.contains(field))
        .collect();
    assert!(unread.is_empty(), "described and not read: {unread:?}");
}

/// Adds the fields of an object, and of all that it leads to, by object.
fn describe(object: &'static Object, described: &mut BTreeMap<&'static str, &'static [Field]>) {
    if described.insert(object.summary.name, object.fields).is_none() {
        object.includes.iter().for_each(|included| describe(included, described));
        object.fields.iter().for_each(|field| of_type(&field.about.kind, described));
    }
}

fn of_type(kind: &Type, described: &mut BTreeMap<&'static str, &'static [Field]>) {
    match kind {
        Type::Table(object) => describe(object, described),
        Type::List(kind, ..) | Type::Map(_, kind, _) => of_type(kind, described),
        Type::Either(kinds) => kinds.iter().for_each(|kind| of_type(kind, described)),
        Type::Text(..)
        | Type::Pattern(..)
        | Type::Words(_)
        | Type::Duration(..)
        | Type::Flag
        | Type::True => {}
        Type::Integer(..) | Type::Count(..) | Type::Numbers(_) => {}
    }
}

/// Policies in which every field is read, of each filter.
fn of_router() -> Vec<String> {
    let matches = MATCHES.join(", ");
    vec![format!(
        r#"{{"explain": {{"when": {{}}}}, "rules": [
            {{"name": "a", "matches": [{matches}], "route": {{"to": "a"}}, "requestHeaders": {{}},
              "rewrite": {{"path": {{"replacePrefix": {{"from": "/a", "to": "/b", "ignoreCase": true}}}}}}}},
            {{"name": "b", "route": {{"authority": "a"}}, "rewrite": {{"path": {{"replaceFull": "/b"}}}}}},
            {{"name": "c", "rewrite": {{"path": {{"regex": {{"match": "a", "replace": "b"}}}}}}}},
            {{"name": "d", "respond": {{"status": 404}}}},
            {{"name": "e", "redirect": {{"scheme": "https", "authority": {{"stripPrefix": "www."}}, "query": {{"set": ""}}}}}},
            {{"name": "g", "redirect": {{"scheme": "https"}}}},
            {{"name": "f", "route": {{"to": "%HOST%", "toValues": ["a"]}}, "rewrite": {{"query": {{}}}}}}]}}"#
    )]
}

fn of_splitter() -> Vec<String> {
    let matches = MATCHES.join(", ");
    vec![format!(
        r#"{{"explain": {{"when": {{}}}}, "splits": [
            {{"name": "a", "matches": [{matches}], "layer": {{"name": "l"}}, "anonymousId": {{"when": {{}}}}, "rollback": {{}},
              "key": [{{"header": "a"}}, {{"cookie": "a"}}, {{"queryParam": "a"}}, {{"pathSegment": 1}},
                      {{"sourceAddress": true}}, {{"principal": true}}, {{"host": true}}, {{"all": [{{"header": "a"}}, {{"traceId": true}},
                        {{"metadata": ["a", "b"]}}, {{"filterState": "a"}}]}}],
              "backends": [{{"name": "v1", "baseline": true, "requestHeaders": {{}}}},
                           {{"name": "v2", "to": "v2", "maxWeight": 5, "guard": {{"cluster": "c"}}}},
                           {{"name": "v3", "to": "v3", "maxWeight": 5, "ramp": {{"steps": [{{"at": "2026-12-01T09:00:00Z", "weight": 1}}]}}}}],
              "override": {{"header": "a", "backend": "v2"}}, "include": [{{"matches": [{{}}], "backend": "v2"}}],
              "exclude": [{{"matches": [{{}}]}}]}}]}}"#
    )]
}

fn of_tagger() -> Vec<String> {
    let matches = MATCHES.join(", ");
    vec![format!(
        r#"{{"explain": {{"when": {{}}}}, "exclude": [{matches}], "limits": {{}}, "metrics": [{{"name": "m"}}],
            "attributes": [{{"output_attribute": "z", "match": [{{"value": "v"}}]}}],
            "tags": {{"a1": {{"fixed": "a"}}, "b1": {{"header": "a"}}, "c1": {{"responseHeader": "a"}},
              "d1": {{"cookie": "a"}}, "e1": {{"queryParam": "a"}}, "f1": {{"method": true}},
              "h1": {{"host": true}}, "i1": {{"hostMap": {{"a": "b"}}}},
              "j1": {{"pathTemplates": [{{"template": "/a", "value": "a"}}]}}, "k1": {{"statusCode": true}},
              "l1": {{"statusClass": true}}, "m1": {{"grpcStatus": true}}, "n1": {{"responseFlags": true}},
              "o1": {{"durationClass": [5]}}, "p1": {{"property": "a"}}, "q1": {{"nodeMetadata": "a"}},
              "r1": {{"sourcePrincipal": true}}, "s1": {{"destinationPrincipal": true}},
              "t1": {{"upstreamCluster": true}}, "u1": {{"upstreamHost": true}},
              "v1": {{"connectionSecurity": true}}}}}}"#
    )]
}

fn of_egress() -> Vec<String> {
    let explained = MATCHES.iter().map(|one| format!(r#"{{"rules": [], "explain": {{"when": {one}}}}}"#));
    let rules = r#"{"response": {}, "requestHeaders": {}, "learn": {}, "denyPrivateAddresses": {"except": []},
        "rules": [{"name": "a", "action": "allow", "from": {"namespaces": ["a"]}, "to": {}}]}"#;
    explained.chain([rules.to_owned()]).collect()
}

fn of_lanes() -> Vec<String> {
    let explained = MATCHES.iter().map(|one| format!(r#"{{"explain": {{"when": {one}}}}}"#));
    explained.chain([r#"{"lane": {"header": "a", "values": ["b"]}, "trace": ["c"]}"#.to_owned()]).collect()
}

#[test]
fn every_field_is_read() {
    fields_are_read::<Router>(&of_router());
    fields_are_read::<Splitter>(&of_splitter());
    fields_are_read::<Tagger>(&of_tagger());
    fields_are_read::<Egress>(&of_egress());
    fields_are_read::<Lanes>(&of_lanes());
}

#[test]
fn every_part_of_a_merged_policy_is_read() {
    recorder::take();
    let parts: Vec<&str> = Merged::LANGUAGE.fields.iter().map(|field| field.name).collect();
    let written: Vec<String> = parts.iter().map(|part| format!(r#""{part}": {{"mode": "off"}}"#)).collect();
    let policy = format!("{{{}}}", written.join(", "));
    assert!(Merged::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).is_ok(), "{policy}");
    let asked = recorder::take();
    for part in Merged::LANGUAGE.fields {
        let Type::Table(object) = part.about.kind else { panic!("{} is no table", part.name) };
        let unread: Vec<_> =
            object.fields.iter().filter(|f| !asked.contains(&(object.summary.name, f.name))).collect();
        assert!(unread.is_empty(), "{}: {unread:?}", part.name);
    }
    assert!(asked.contains(&("partHead", "mode")));
}

#[test]
fn every_field_of_a_vm_configuration_is_read() {
    recorder::take();
    vm_config::strict(b"{}").unwrap();
    assert_eq!(recorder::take(), BTreeSet::from([("vm", "strict")]));
}
