//! The documents of a file, and the policies in them: bare, in Istio's resources, and in Envoy's
//! configuration.

mod envoy;
mod found;
mod kind;

use narrows_core::PolicyValue;
use narrows_core::nearest::suggestion;

use crate::code;
use crate::code::policy;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::source::{Key, Node, SourceFile, Value};
pub(crate) use envoy::get as envoys;
pub use found::Found;
pub use kind::Kind;

/// The documents of a file. What the items of a list leave out, because the list says it, is added.
pub fn read(source: &SourceFile) -> Result<Vec<Node>, Finding> {
    let mut documents = source.documents()?;
    documents.iter_mut().for_each(complete);
    Ok(documents)
}

/// The resources of a document: itself, or the items of a `List` of any kind.
pub fn resources(document: &Node) -> Vec<&Node> {
    match items(document) {
        Some(_) => document.get("items").map(Node::elements).unwrap_or_default().iter().collect(),
        None => vec![document],
    }
}

/// What the items of a list are, if this is one: `WasmPlugin` for a `WasmPluginList`, nothing for a
/// `List`.
fn items(document: &Node) -> Option<&str> {
    let kind = document.text_at("kind")?.strip_suffix("List")?;
    document.get("items").filter(|items| matches!(items.value, Value::List(_)))?;
    Some(kind)
}

fn complete(document: &mut Node) {
    let Some(kind) = items(document).filter(|kind| !kind.is_empty()).map(str::to_owned) else { return };
    let version = document.text_at("apiVersion").map(str::to_owned);
    let Value::Table(fields) = &mut document.value else { return };
    let lists = fields.iter_mut().filter(|(key, _)| key.name == "items");
    for (_, list) in lists {
        let Value::List(elements) = &mut list.value else { continue };
        for element in elements.iter_mut().filter(|element| element.get("kind").is_none()) {
            let at = element.head();
            let Value::Table(fields) = &mut element.value else { continue };
            for (name, text) in [("kind", Some(&kind)), ("apiVersion", version.as_ref())] {
                let key = Key { at: at.clone(), name: name.to_owned() };
                let value = |text: &String| Value::Scalar(PolicyValue::Text(text.clone()));
                fields.extend(text.map(|text| (key, Node { at: at.clone(), value: value(text) })));
            }
        }
    }
}

/// The policies of one resource. Anything that cannot be read is added to `findings`.
pub fn policies(source: &SourceFile, resource: &Node, findings: &mut Vec<Finding>) -> Vec<Found> {
    let kind = Kind::of(resource);
    let mut found = Vec::new();
    match kind {
        Kind::Policy | Kind::Unknown => {
            let filter = Filter::of_policy(resource);
            found.push(Found { filter, policy: resource.clone(), vm: None, within: kind });
        }
        Kind::WasmPlugin | Kind::TrafficExtension => {
            found.extend(kind.plugin().and_then(|plugin| in_plugin(resource, plugin, kind)));
        }
        Kind::ExtensionPolicy => found.extend(in_extension_policy(resource)),
        Kind::Envoy => envoy::find(source, resource, &mut found, findings),
        Kind::ConfigMap => {
            for file in resource.get("data").map(Node::fields).unwrap_or_default() {
                for document in envoy::embedded(source, &file.1) {
                    envoy::find(source, &document, &mut found, findings);
                }
            }
        }
        Kind::Telemetry
        | Kind::VirtualService
        | Kind::DestinationRule
        | Kind::Gateway
        | Kind::ServiceEntry
        | Kind::Service
        | Kind::Other => {}
    }
    // JSON in a string has one meaning, and what is too long to be a number is none.
    if !matches!(kind, Kind::Envoy | Kind::ConfigMap | Kind::Unknown) {
        found.iter().for_each(|found| source.disputed(&found.policy, findings));
    }
    found
}

/// The policies of an `EnvoyExtensionPolicy`: it carries any number of plugins.
fn in_extension_policy(resource: &Node) -> impl Iterator<Item = Found> {
    let plugins = resource.get("spec.wasm").map(Node::elements).unwrap_or_default().iter();
    plugins.filter_map(|plugin| {
        let policy = plugin.get("config").cloned();
        let policy = policy.unwrap_or_else(|| Node { at: plugin.head(), value: Value::Table(Vec::new()) });
        let url = ["code.image.url", "code.http.url"].iter().find_map(|path| plugin.text_at(path));
        let attached = Filter::of_plugin(url, plugin.text_at("rootID"));
        let filter = attached.or_else(|| Filter::of_policy(&policy))?;
        Some(Found { filter: Some(filter), policy, vm: None, within: Kind::ExtensionPolicy })
    })
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
    let near = policy.text_at("filter").and_then(|name| suggestion(name, &Filter::ALL.map(Filter::name)));
    let misspelt = kind::misspelt_filter(policy);
    let near = near.or_else(|| misspelt.map(|_| "did you mean \"filter\"?".to_owned()));
    Finding {
        code,
        level: Level::Error,
        at: named.or_else(|| misspelt.map(|key| key.at.clone())).unwrap_or_else(|| policy.head()),
        place: String::new(),
        message: message.to_owned(),
        help: near.unwrap_or_else(|| format!("add \"filter\" with one of {known}, or use --filter")),
    }
}
