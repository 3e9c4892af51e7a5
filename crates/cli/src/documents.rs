//! The documents of a file, and the policies in them: bare, in Istio's resources, and in Envoy's
//! configuration.

mod envoy;
mod kind;

use crate::code;
use crate::code::policy;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::source::{Node, SourceFile, Value};
pub use kind::Kind;

/// A policy, and where it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The filter that it is for, if anything names it.
    pub filter: Option<Filter>,
    /// The policy, with its places in the file.
    pub policy: Node,
    /// The VM configuration beside it.
    pub vm: Option<Node>,
    /// The kind of document that it was found in.
    pub within: Kind,
}

/// The resources of a document: itself, or the items of a `List`.
pub fn resources(document: &Node) -> Vec<&Node> {
    match document.get("items").filter(|_| document.text_at("kind") == Some("List")) {
        Some(items) => items.elements().iter().collect(),
        None => vec![document],
    }
}

/// The policies of one resource. Anything that cannot be read is added to `findings`.
pub fn policies(source: &SourceFile, resource: &Node, findings: &mut Vec<Finding>) -> Vec<Found> {
    let kind = Kind::of(resource);
    let mut found = Vec::new();
    match kind {
        Kind::Policy => {
            let filter = Filter::of_policy(resource);
            found.push(Found { filter, policy: resource.clone(), vm: None, within: kind });
        }
        Kind::WasmPlugin | Kind::TrafficExtension => {
            found.extend(kind.plugin().and_then(|plugin| in_plugin(resource, plugin, kind)));
        }
        Kind::Envoy => envoy::find(source, resource, &mut found, findings),
        Kind::Telemetry
        | Kind::VirtualService
        | Kind::DestinationRule
        | Kind::Gateway
        | Kind::ServiceEntry
        | Kind::Service
        | Kind::Other => {}
    }
    found
}

/// The policy of an Istio resource, if it is for a filter of Narrows.
fn in_plugin(resource: &Node, plugin: &str, kind: Kind) -> Option<Found> {
    let config = resource.get(&format!("{plugin}.pluginConfig")).cloned();
    // A resource without pluginConfig has an empty policy, in the place of the resource.
    let policy = config.unwrap_or_else(|| Node { at: resource.head(), value: Value::Table(Vec::new()) });
    let text = |field: &str| resource.text_at(&format!("{plugin}.{field}"));
    let attached = Filter::of_plugin(text("url"), text("pluginName"));
    let filter = attached.or_else(|| Filter::of_policy(&policy))?;
    Some(Found { filter: Some(filter), policy, vm: None, within: kind })
}

/// A bare policy whose filter nothing names.
pub fn unknown_filter(policy: &Node) -> Finding {
    let named = policy.field("filter").map(|(_, value)| value.at.clone());
    let known = Filter::ALL.map(|filter| format!("{:?}", filter.name())).join(", ");
    let (code, message) = match named {
        Some(_) => (policy::of(narrows_core::Code::BadValue), "unknown filter"),
        None => (code::UNKNOWN_FILTER, "the policy does not name its filter"),
    };
    Finding {
        code,
        level: Level::Error,
        at: named.unwrap_or_else(|| policy.head()),
        place: String::new(),
        message: message.to_owned(),
        help: format!("add \"filter\" with one of {known}, or use --filter"),
    }
}
