//! Every field of the resources, with the release that it first appeared in.

mod head;
mod routing;
mod tables;

use std::ops::Range;

use narrows_core::Tree;

use super::{Manifest, Release, fault};
use crate::code;
use crate::finding::Finding;
use crate::source::{Key, Node, Value};
use crate::wrap::Kind;
use head::HEAD;
use routing::{DESTINATION_RULE, GATEWAY, SERVICE, SERVICE_ENTRY, VIRTUAL_SERVICE};
use tables::{EXTENSION, PLUGIN, TELEMETRY};

/// A field: where it is, since when, and what it takes. `[]` steps into a list, whose
/// elements are tables unless a line of their own says otherwise, and `*` into any name.
struct Field {
    path: &'static str,
    since: Release,
    takes: Takes,
    required: bool,
}

/// What a field takes.
enum Takes {
    Text,
    Bool,
    Table,
    List,
    Integer(i64, i64),
    /// One of a few words, each with the release that it first appeared in.
    Word(&'static [(&'static str, u16)]),
    /// Anything: it is not Istio's to know.
    Any,
}

/// A kind of resource.
struct Kinds {
    name: &'static str,
    since: Release,
    /// `apiVersion`, with the release that it first appeared in.
    versions: &'static [(&'static str, u16)],
    fields: &'static [Field],
}

impl Kinds {
    /// The fields of every resource, then its own.
    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        HEAD.iter().chain(self.fields)
    }
}

/// False if the release has no such resource: then nothing else about it matters.
pub(super) fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) -> bool {
    let kind = match manifest.kind {
        Kind::WasmPlugin => &PLUGIN,
        Kind::TrafficExtension => &EXTENSION,
        Kind::VirtualService => &VIRTUAL_SERVICE,
        Kind::DestinationRule => &DESTINATION_RULE,
        Kind::Gateway => &GATEWAY,
        Kind::ServiceEntry => &SERVICE_ENTRY,
        Kind::Service => &SERVICE,
        _ => &TELEMETRY,
    };
    let resource = manifest.resource;
    let release = manifest.release;
    if release < kind.since {
        let at = resource.field("kind").map_or_else(|| resource.head(), |(_, value)| value.at.clone());
        let (message, help) = (
            format!("Istio {release} has no {}: it came with {}", kind.name, kind.since),
            "write a WasmPlugin: narrows render --as wasm-plugin",
        );
        findings.push(fault(code::NOT_IN_RELEASE, &at, "kind", &message, help));
        return false;
    }
    Walk { kind, release, findings }.table(resource, "", "");
    api_version(resource, kind, release, findings);
    true
}

fn api_version(resource: &Node, kind: &Kinds, release: Release, findings: &mut Vec<Finding>) {
    let Some((written, node)) = resource.get("apiVersion").and_then(|node| Some((node.text()?, node))) else {
        return;
    };
    let newest = kind.versions.iter().rfind(|(_, since)| Release::minor(*since) <= release);
    let help = format!("write \"apiVersion: {}\"", newest.map_or("", |(version, _)| version));
    let (code, message) = match kind.versions.iter().find(|(version, _)| *version == written) {
        Some((_, since)) if Release::minor(*since) <= release => return,
        Some((_, since)) => {
            (code::NOT_IN_RELEASE, format!("Istio {release} has no {written:?}: it came with 1.{since}"))
        }
        None => (code::REFUSED, format!("{written:?} has no {}", kind.name)),
    };
    findings.push(fault(code, &node.at, "apiVersion", &message, &help));
}

struct Walk<'w> {
    kind: &'w Kinds,
    release: Release,
    findings: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    /// Checks the fields of a table: `path` is its place in the tables of fields,
    /// `place` the one that people read.
    fn table(&mut self, node: &Node, path: &str, place: &str) {
        for (i, (key, value)) in node.fields().iter().enumerate() {
            let place = join(place, &key.name);
            if node.fields().iter().take(i).any(|(earlier, _)| earlier.name == key.name) {
                let message = format!("{:?} stands twice", key.name);
                self.findings.push(fault(code::REFUSED, &key.at, &place, &message, "keep one of them"));
            }
            match self.kind.fields().find(|field| leads(field.path, path, &key.name)) {
                Some(field) => self.field(field, key, value, &place),
                None => self.unknown(key, path, &place),
            }
        }
        for field in self.kind.fields().filter(|field| field.required) {
            let Some(name) = child_of(field.path, path) else { continue };
            if node.get(name).is_none() && field.since <= self.release {
                let message = format!("{name:?} is missing");
                let help = format!("add {name:?} here");
                let at = node.head();
                self.findings.push(fault(code::REQUIRED, &at, &join(place, name), &message, &help));
            }
        }
    }

    fn field(&mut self, field: &Field, key: &Key, value: &Node, place: &str) {
        let Self { release, kind, .. } = self;
        if field.since > *release {
            let message = format!("Istio {release} has no {:?}: it came with {}", key.name, field.since);
            let help = format!(
                "leave it out: the API server drops or refuses a field of a {} that it does not know",
                kind.name
            );
            self.findings.push(fault(code::NOT_IN_RELEASE, &key.at, place, &message, &help));
            return;
        }
        self.value(&field.takes, field.path, &key.at, value, place);
    }

    /// Checks a value, which stands behind `key`.
    fn value(&mut self, takes: &Takes, path: &str, key: &Range<usize>, value: &Node, place: &str) {
        let expected = match (takes, &value.value) {
            (Takes::Any, _)
            | (_, Value::Scalar(Tree::Null))
            | (Takes::Bool, Value::Scalar(Tree::Flag(_)))
            | (Takes::Text, Value::Scalar(Tree::Text(_))) => return,
            (Takes::Table, Value::Table(_)) => return self.table(value, path, place),
            (Takes::List, Value::List(elements)) => {
                let path = format!("{path}[]");
                let own = self.kind.fields().find(|field| field.path == path);
                let takes = own.map_or(&Takes::Table, |field| &field.takes);
                for (i, element) in elements.iter().enumerate() {
                    self.value(takes, &path, &element.head(), element, &format!("{place}[{i}]"));
                }
                return;
            }
            (Takes::Integer(low, high), Value::Scalar(Tree::Integer(n))) if (low..=high).contains(&n) => {
                return;
            }
            (Takes::Word(words), Value::Scalar(Tree::Text(word))) => {
                return self.word(words, word, value, place);
            }
            (Takes::Text, _) => "a string".to_owned(),
            (Takes::Bool, _) => "true or false".to_owned(),
            (Takes::Table, _) => "a table".to_owned(),
            (Takes::List, _) => "a list".to_owned(),
            (Takes::Integer(low, high), _) => format!("an integer from {low} to {high}"),
            (Takes::Word(words), _) => one_of(words, self.release),
        };
        let at = if matches!(value.value, Value::Scalar(_)) { &value.at } else { key };
        let found = match value.tree() {
            Tree::Integer(n) if matches!(takes, Takes::Integer(..)) => n.to_string(),
            other => other.kind().to_owned(),
        };
        let message = format!("expected {expected}, found {found}");
        self.findings.push(fault(code::REFUSED, at, place, &message, "Istio refuses it; write it so"));
    }

    fn word(&mut self, words: &[(&str, u16)], word: &str, value: &Node, place: &str) {
        let release = self.release;
        let (code, message) = match words.iter().find(|(known, _)| *known == word) {
            Some((_, since)) if Release::minor(*since) <= release => return,
            Some((_, since)) => {
                (code::NOT_IN_RELEASE, format!("Istio {release} has no {word:?}: it came with 1.{since}"))
            }
            None => (code::REFUSED, format!("{word:?} is not one of them")),
        };
        let help = format!("write {}", one_of(words, release));
        self.findings.push(fault(code, &value.at, place, &message, &help));
    }

    fn unknown(&mut self, key: &Key, parent: &str, place: &str) {
        let known: Vec<&str> = self
            .kind
            .fields()
            .filter(|field| field.since <= self.release)
            .filter_map(|field| child_of(field.path, parent))
            .collect();
        let message = format!("a {} has no field {:?} here", self.kind.name, key.name);
        let help = format!("known here: {}", known.join(", "));
        self.findings.push(fault(code::UNKNOWN_FIELD, &key.at, place, &message, &help));
    }
}

fn one_of(words: &[(&str, u16)], release: Release) -> String {
    let known = words.iter().filter(|(_, since)| Release::minor(*since) <= release);
    known.map(|(word, _)| *word).collect::<Vec<_>>().join(" or ")
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// Whether a path of the tables leads from `parent` to a field of that name, which may
/// have dots of its own.
fn leads(field: &str, parent: &str, name: &str) -> bool {
    let rest = match parent {
        "" => Some(field),
        _ => field.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.')),
    };
    rest.is_some_and(|rest| rest == "*" || rest == name)
}

/// The name of a field that lies directly under `parent`.
fn child_of(field: &'static str, parent: &str) -> Option<&'static str> {
    let name = match parent {
        "" => field,
        _ => field.strip_prefix(parent)?.strip_prefix('.')?,
    };
    (!name.contains(['.', '*', '['])).then_some(name)
}
