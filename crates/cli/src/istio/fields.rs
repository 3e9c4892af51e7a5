//! Every field of the resources, with the release in which it first appeared.

mod head;
mod plugins;
mod routing;

use super::Release;
use crate::documents::Kind;
use head::HEAD;

/// A field: its path, its release, and its values. In a path, `[]` goes into a list, whose elements are
/// tables unless a line of their own has another type; `*` goes into a field of any name.
pub struct Field {
    /// Where it is, such as `spec.targetRefs[].kind`.
    pub path: &'static str,
    /// The release that added it.
    pub since: Release,
    /// What it takes.
    pub field_type: FieldType,
    /// Whether the resource is refused without it.
    pub required: bool,
}

/// The values that a field takes.
pub enum FieldType {
    /// A string.
    Text,
    /// A string that is not empty.
    Name,
    /// `true` or `false`.
    Bool,
    /// A table of fields.
    Table,
    /// A list.
    List,
    /// An integer within a range.
    Integer(i64, i64),
    /// One of a few words, each with the release in which it first appeared.
    Word(&'static [(&'static str, u16)]),
    /// The same in any letter case.
    AnyCase(&'static [(&'static str, u16)]),
    /// Anything: Istio does not look at it.
    Any,
}

/// The description of a kind of resource.
pub struct Schema {
    /// The kind.
    pub name: &'static str,
    /// The release that added it.
    pub since: Release,
    /// `apiVersion`, with the release in which it first appeared.
    pub versions: &'static [(&'static str, u16)],
    fields: &'static [Field],
}

impl Field {
    /// Whether a release has the field and, if it takes words, this one.
    pub fn has(&self, word: &str, release: Release) -> bool {
        let knows = |words: &[(&str, u16)]| {
            words.iter().any(|(known, since)| *known == word && Release::minor(*since) <= release)
        };
        self.since <= release
            && if let FieldType::Word(words) = self.field_type { knows(words) } else { true }
    }
}

impl Schema {
    /// The field at a path.
    pub fn field(&self, path: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.path == path)
    }

    /// The schema of a kind of resource, if lint checks the kind.
    pub fn of(kind: Kind) -> Option<&'static Self> {
        match kind {
            Kind::WasmPlugin => Some(&plugins::WASM_PLUGIN),
            Kind::TrafficExtension => Some(&plugins::TRAFFIC_EXTENSION),
            Kind::Telemetry => Some(&plugins::TELEMETRY),
            Kind::VirtualService => Some(&routing::VIRTUAL_SERVICE),
            Kind::DestinationRule => Some(&routing::DESTINATION_RULE),
            Kind::Gateway => Some(&routing::GATEWAY),
            Kind::ServiceEntry => Some(&routing::SERVICE_ENTRY),
            Kind::Service => Some(&routing::SERVICE),
            _ => None,
        }
    }

    /// First the fields that every resource has, then its own.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        HEAD.iter().chain(self.fields)
    }
}
