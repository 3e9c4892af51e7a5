//! Every field of the resources, with the release that it first appeared in.

mod head;
mod plugins;
mod routing;

use super::Release;
use crate::documents::Kind;
use head::HEAD;

/// A field: where it is, since when, and what it takes. `[]` steps into a list, whose
/// elements are tables unless a line of their own says otherwise, and `*` into any name.
pub struct Field {
    /// Where it is, such as `spec.targetRefs[].kind`.
    pub path: &'static str,
    /// The release that it came with.
    pub since: Release,
    /// What it takes.
    pub field_type: FieldType,
    /// Whether the resource is refused without it.
    pub required: bool,
}

/// What a field takes.
pub enum FieldType {
    /// A string.
    Text,
    /// `true` or `false`.
    Bool,
    /// A table of fields.
    Table,
    /// A list.
    List,
    /// An integer of a range.
    Integer(i64, i64),
    /// One of a few words, each with the release that it first appeared in.
    Word(&'static [(&'static str, u16)]),
    /// Anything: Istio does not look at it.
    Any,
}

/// The description of a kind of resource.
pub struct Schema {
    /// The kind.
    pub name: &'static str,
    /// The release that it came with.
    pub since: Release,
    /// `apiVersion`, with the release that it first appeared in.
    pub versions: &'static [(&'static str, u16)],
    fields: &'static [Field],
}

impl Schema {
    /// The schema of a kind of resource, if the kind is one that lint checks.
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
            Kind::Policy | Kind::Envoy | Kind::Other => None,
        }
    }

    /// The fields of every resource, then its own.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        HEAD.iter().chain(self.fields)
    }
}
