//! Compares a resource with the fields that a release of Istio has: NRW601 to NRW604. Numbers in them that
//! readers of YAML disagree on are NRW630.

use std::collections::BTreeSet;
use std::ops::Range;

use narrows_core::PolicyValue;

use super::rules::{NOT_IN_RELEASE, REFUSED, REQUIRED, UNKNOWN_FIELD};
use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::istio::Release;
use crate::istio::fields::{Field, FieldType, Schema};
use crate::meant::suggestion;
use crate::source::{Key, Node, SourceFile, Value};

/// Returns false if the release has no such resource: then nothing else about it matters.
pub(super) fn check(
    resource: &Node,
    schema: &'static Schema,
    release: Release,
    findings: &mut Vec<Finding>,
) -> bool {
    if release < schema.since {
        let at = resource.field("kind").map_or_else(|| resource.head(), |(_, value)| value.at.clone());
        let message = missing_in(release, schema.name, schema.since);
        let help = "write a WasmPlugin: narrows render --as wasm-plugin";
        findings.push(Finding::error(NOT_IN_RELEASE, &at, "kind", &message, help));
        return false;
    }
    let mut walk = Walk { schema, release, findings };
    walk.table(resource, "", "");
    walk.api_version(resource);
    true
}

/// Adds a finding for every number that readers disagree on, but for those of a policy: they are found where
/// it is read, and Istio does not look at any other configuration.
pub(super) fn disputed(source: &SourceFile, resource: &Node, kind: Kind, findings: &mut Vec<Finding>) {
    let policy = kind.plugin().and_then(|path| resource.get(&format!("{path}.pluginConfig")));
    numbers(source, resource, policy, "", findings);
}

fn numbers(
    source: &SourceFile,
    node: &Node,
    policy: Option<&Node>,
    place: &str,
    findings: &mut Vec<Finding>,
) {
    if policy.is_some_and(|policy| std::ptr::eq(policy, node)) {
        return;
    }
    if let Value::Scalar(_) = node.value {
        let mut found = Vec::new();
        source.disputed(node, &mut found);
        // A number where none belongs is told already.
        found.retain(|one| !findings.iter().any(|other| other.at == one.at));
        findings.extend(found.into_iter().map(|one| Finding { place: place.to_owned(), ..one }));
    }
    for (key, value) in node.fields() {
        numbers(source, value, policy, &join(place, &key.name), findings);
    }
    for (i, element) in node.elements().iter().enumerate() {
        numbers(source, element, policy, &format!("{place}[{i}]"), findings);
    }
}

fn missing_in(release: Release, what: &str, since: Release) -> String {
    format!("Istio {release} has no {what}: it came with {since}")
}

struct Walk<'w> {
    schema: &'static Schema,
    release: Release,
    findings: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    fn add(&mut self, code: &'static Code, at: &Range<usize>, place: &str, message: &str, help: &str) {
        self.findings.push(Finding::error(code, at, place, message, help));
    }

    fn api_version(&mut self, resource: &Node) {
        let (release, schema) = (self.release, self.schema);
        let version = resource.get("apiVersion").and_then(|node| Some((node.text()?, node)));
        let Some((written, node)) = version else { return };
        let newest = schema.versions.iter().rfind(|(_, since)| Release::minor(*since) <= release);
        let help = format!("write \"apiVersion: {}\"", newest.map_or("", |(version, _)| version));
        let (code, message) = match schema.versions.iter().find(|(version, _)| *version == written) {
            Some((_, since)) if Release::minor(*since) <= release => return,
            Some((_, since)) => {
                let since = Release::minor(*since);
                (NOT_IN_RELEASE, missing_in(release, &format!("{written:?}"), since))
            }
            None => (REFUSED, format!("{written:?} has no {}", schema.name)),
        };
        self.add(code, &node.at, "apiVersion", &message, &help);
    }

    /// Checks the fields of a table. `path` is its path in the schema; `place` is the path that people
    /// read.
    fn table(&mut self, node: &Node, path: &str, place: &str) {
        let mut seen = BTreeSet::new();
        for (key, value) in node.fields() {
            let place = join(place, &key.name);
            if !seen.insert(&key.name) {
                let message = format!("duplicate field {:?}", key.name);
                self.add(REFUSED, &key.at, &place, &message, "keep one of them");
            }
            match self.schema.fields().find(|field| leads(field.path, path, &key.name)) {
                Some(field) => self.field(field, key, value, &place),
                None => self.unknown(key, node.fields(), path, &place),
            }
        }
        for field in self.schema.fields().filter(|field| field.required) {
            let Some(name) = child_of(field.path, path) else { continue };
            // Another VirtualService delegates to one that has neither hosts nor gateways.
            if (self.schema.name, field.path) == ("VirtualService", "spec.hosts")
                && node.get("gateways").is_none()
            {
                continue;
            }
            if node.get(name).is_none() && field.since <= self.release {
                let message = format!("{name:?} is missing");
                let help = format!("add {name:?} here");
                self.add(REQUIRED, &node.head(), &join(place, name), &message, &help);
            }
        }
    }

    fn field(&mut self, field: &'static Field, key: &Key, value: &Node, place: &str) {
        if field.since > self.release {
            let message = missing_in(self.release, &format!("{:?}", key.name), field.since);
            let help = format!(
                "leave it out: the API server drops an unknown field of a {} or refuses the resource",
                self.schema.name
            );
            self.add(NOT_IN_RELEASE, &key.at, place, &message, &help);
            return;
        }
        self.value(&field.field_type, field.path, &key.at, value, place);
    }

    /// Checks the value of `key`.
    fn value(&mut self, expected: &FieldType, path: &str, key: &Range<usize>, value: &Node, place: &str) {
        let is_right = match (expected, &value.value) {
            (FieldType::Any, _)
            | (_, Value::Scalar(PolicyValue::Null))
            | (FieldType::Bool, Value::Scalar(PolicyValue::Flag(_)))
            | (FieldType::Text, Value::Scalar(PolicyValue::Text(_))) => true,
            (FieldType::Name, Value::Scalar(PolicyValue::Text(text))) => !text.is_empty(),
            (FieldType::Table, Value::Table(_)) => {
                self.table(value, path, place);
                true
            }
            (FieldType::List, Value::List(elements)) => {
                self.elements(elements, &format!("{path}[]"), place);
                true
            }
            (FieldType::Integer(low, high), Value::Scalar(PolicyValue::Integer(n))) => {
                (low..=high).contains(&n)
            }
            (FieldType::AnyCase(words), Value::Scalar(PolicyValue::Text(word))) => {
                self.word(words, &word.to_ascii_uppercase(), value, place);
                true
            }
            (FieldType::Word(words), Value::Scalar(PolicyValue::Text(word))) => {
                self.word(words, word, value, place);
                true
            }
            _ => false,
        };
        if !is_right {
            self.wrong_type(expected, key, value, place);
        }
    }

    fn elements(&mut self, elements: &[Node], path: &str, place: &str) {
        let own = self.schema.fields().find(|field| field.path == path);
        let expected = own.map_or(&FieldType::Table, |field| &field.field_type);
        for (i, element) in elements.iter().enumerate() {
            self.value(expected, path, &element.head(), element, &format!("{place}[{i}]"));
        }
    }

    fn wrong_type(&mut self, expected: &FieldType, key: &Range<usize>, value: &Node, place: &str) {
        let wanted = match expected {
            FieldType::Any => return,
            FieldType::Text => "a string".to_owned(),
            FieldType::Name => "a string that is not empty".to_owned(),
            FieldType::Bool => "true or false".to_owned(),
            FieldType::Table => "a table".to_owned(),
            FieldType::List => "a list".to_owned(),
            FieldType::Integer(low, high) => format!("an integer from {low} to {high}"),
            FieldType::Word(words) | FieldType::AnyCase(words) => one_of(words, self.release),
        };
        let at = if matches!(value.value, Value::Scalar(_)) { &value.at } else { key };
        let found = match value.tree() {
            PolicyValue::Integer(n) if matches!(expected, FieldType::Integer(..)) => n.to_string(),
            PolicyValue::Fraction(n) if matches!(expected, FieldType::Integer(..)) => n.to_string(),
            PolicyValue::Text(text) if text.is_empty() => "an empty one".to_owned(),
            other => other.kind().to_owned(),
        };
        let message = format!("expected {wanted}, found {found}");
        self.add(REFUSED, at, place, &message, &format!("write {wanted}: Istio refuses other values"));
    }

    fn word(&mut self, words: &[(&str, u16)], word: &str, value: &Node, place: &str) {
        let release = self.release;
        let (code, message) = match words.iter().find(|(known, _)| *known == word) {
            Some((_, since)) if Release::minor(*since) <= release => return,
            Some((_, since)) => {
                (NOT_IN_RELEASE, missing_in(release, &format!("{word:?}"), Release::minor(*since)))
            }
            None => (REFUSED, format!("unknown value {word:?}")),
        };
        self.add(code, &value.at, place, &message, &format!("write {}", one_of(words, release)));
    }

    fn unknown(&mut self, key: &Key, siblings: &[(Key, Node)], parent: &str, place: &str) {
        let fields = self.schema.fields().filter(|field| field.since <= self.release);
        let known: Vec<&str> = fields.filter_map(|field| child_of(field.path, parent)).collect();
        let message = format!("a {} has no field {:?} here", self.schema.name, key.name);
        let is_there = |name: &str| siblings.iter().any(|(key, _)| key.name == name);
        let free: Vec<&str> = known.iter().copied().filter(|name| !is_there(name)).collect();
        let help =
            suggestion(&key.name, &free).unwrap_or_else(|| format!("known here: {}", known.join(", ")));
        self.add(UNKNOWN_FIELD, &key.at, place, &message, &help);
    }
}

fn one_of(words: &[(&str, u16)], release: Release) -> String {
    let known = words.iter().filter(|(_, since)| Release::minor(*since) <= release);
    known.map(|(word, _)| *word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" or ")
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// The rest of a schema path below `parent`.
fn below<'f>(field: &'f str, parent: &str) -> Option<&'f str> {
    if parent.is_empty() {
        return Some(field);
    }
    field.strip_prefix(parent)?.strip_prefix('.')
}

/// Whether a schema path leads from `parent` to a field of that name. The name may contain dots.
fn leads(field: &str, parent: &str, name: &str) -> bool {
    below(field, parent).is_some_and(|rest| rest == "*" || rest == name)
}

/// The name of a field that is directly under `parent`.
fn child_of(field: &'static str, parent: &str) -> Option<&'static str> {
    below(field, parent).filter(|name| !name.contains(['.', '*', '[']))
}
