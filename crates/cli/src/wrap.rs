//! Policies where operators keep them: bare, in Istio's resources, in Envoy's.

use std::fmt;

use narrows_core::Code;

use crate::code;
use crate::filter::Filter;
use crate::finding::{Finding, Level};
use crate::source::{Node, Source, Value};

/// A policy, and where it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The filter that it is for, if anything says so.
    pub filter: Option<Filter>,
    /// The policy, with its places in the file.
    pub policy: Node,
    /// The VM configuration beside it.
    pub vm: Option<Node>,
    /// What it was found in.
    pub within: Kind,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A policy and nothing else.
    Policy,
    /// Istio's `WasmPlugin`.
    WasmPlugin,
    /// Istio's `TrafficExtension`.
    TrafficExtension,
    /// Istio's `Telemetry`.
    Telemetry,
    /// Istio's `VirtualService`.
    VirtualService,
    /// Istio's `DestinationRule`.
    DestinationRule,
    /// Istio's `Gateway`, not the one of Gateway API.
    Gateway,
    /// Istio's `ServiceEntry`.
    ServiceEntry,
    /// Kubernetes's `Service`.
    Service,
    /// Anything that may hold Envoy's Wasm filters: an `EnvoyFilter`, a bootstrap.
    Envoy,
    /// Another resource of Kubernetes: not ours to judge.
    Other,
}

impl Kind {
    /// What a document is, by its own words.
    pub fn of(document: &Node) -> Self {
        let version = document.text_at("apiVersion").unwrap_or_default();
        match document.text_at("kind") {
            Some("WasmPlugin") => Self::WasmPlugin,
            Some("TrafficExtension") => Self::TrafficExtension,
            Some("Telemetry") => Self::Telemetry,
            Some("VirtualService") => Self::VirtualService,
            Some("DestinationRule") => Self::DestinationRule,
            Some("ServiceEntry") => Self::ServiceEntry,
            // Others have kinds of these names too.
            Some("Gateway") if !version.starts_with("gateway.networking.k8s.io/") => Self::Gateway,
            Some("Service") if !version.contains('/') => Self::Service,
            Some("EnvoyFilter") => Self::Envoy,
            Some(_) => Self::Other,
            None if ENVOY.iter().any(|field| document.get(field).is_some()) => Self::Envoy,
            None => Self::Policy,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "policy",
            Self::WasmPlugin => "WasmPlugin",
            Self::TrafficExtension => "TrafficExtension",
            Self::Telemetry => "Telemetry",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::Gateway => "Gateway",
            Self::ServiceEntry => "ServiceEntry",
            Self::Service => "Service",
            Self::Envoy => "Envoy configuration",
            Self::Other => "resource",
        })
    }
}

/// The resources of a document: itself, or the items of a `List`.
pub fn resources(document: &Node) -> Vec<&Node> {
    match (document.text_at("kind"), document.get("items")) {
        (Some("List"), Some(items)) => items.elements().iter().collect(),
        _ => vec![document],
    }
}

/// The policies of one resource. What cannot be read is noted in `findings`.
pub fn policies(source: &Source, resource: &Node, findings: &mut Vec<Finding>) -> Vec<Found> {
    let kind = Kind::of(resource);
    let istio = |url: &str, config: &str| {
        let filter = resource.text_at(url).and_then(Filter::of_module);
        let config = resource.get(config).cloned();
        // No pluginConfig is an empty policy, and stands where the resource does.
        let policy = config.unwrap_or_else(|| Node { at: resource.head(), value: Value::Table(Vec::new()) });
        let filter = filter.or_else(|| Filter::of_policy(&policy));
        filter.map(|filter| Found { filter: Some(filter), policy, vm: None, within: kind })
    };
    match kind {
        Kind::Policy => {
            let filter = Filter::of_policy(resource);
            vec![Found { filter, policy: resource.clone(), vm: None, within: kind }]
        }
        Kind::WasmPlugin => istio("spec.url", "spec.pluginConfig").into_iter().collect(),
        Kind::TrafficExtension => istio("spec.wasm.url", "spec.wasm.pluginConfig").into_iter().collect(),
        Kind::Envoy => {
            let mut found = Vec::new();
            envoy(source, resource, &mut found, findings);
            found
        }
        _ => Vec::new(),
    }
}

/// Fields at the top of Envoy's bootstrap, and of a file of one of its resources.
const ENVOY: [&str; 8] = [
    "static_resources",
    "dynamic_resources",
    "http_filters",
    "resources",
    "listeners",
    "filter_chains",
    "typed_config",
    "@type",
];

/// Looks for Envoy's Wasm filters anywhere below.
fn envoy(source: &Source, node: &Node, found: &mut Vec<Found>, findings: &mut Vec<Finding>) {
    let type_at = |field| node.text_at(field).unwrap_or_default();
    let wasm = ".filters.http.wasm.v3.Wasm";
    if type_at("@type").ends_with(wasm) {
        plugin(source, node.get("config"), found, findings);
    } else if type_at("@type").ends_with(".TypedStruct") && type_at("type_url").ends_with(wasm) {
        plugin(source, node.get("value.config"), found, findings);
    } else {
        let inner = node.fields().iter().map(|(_, value)| value).chain(node.elements());
        inner.for_each(|inner| envoy(source, inner, found, findings));
    }
}

/// Reads Envoy's `PluginConfig`.
fn plugin(source: &Source, config: Option<&Node>, found: &mut Vec<Found>, findings: &mut Vec<Finding>) {
    let Some(config) = config else { return };
    let code = ["vm_config.code.local.filename", "vm_config.code.remote.http_uri.uri"];
    let module = code.iter().find_map(|path| Filter::of_module(config.text_at(path)?));
    let filter = module.or_else(|| Filter::of_module(config.text_at("name")?));
    let mut read = |field: &str| match config.get(field).map(|any| content(source, any)) {
        Some(Ok(node)) => Some(node),
        None => Some(Node { at: config.head(), value: Value::Table(Vec::new()) }),
        Some(Err(finding)) => {
            // Another plugin may be configured with anything.
            findings.extend(filter.map(|_| finding));
            None
        }
    };
    let vm = config.get("vm_config.configuration").and(read("vm_config.configuration"));
    if let Some(policy) = read("configuration") {
        let filter = filter.or_else(|| Filter::of_policy(&policy));
        found.extend(filter.map(|filter| Found { filter: Some(filter), policy, vm, within: Kind::Envoy }));
    }
}

/// The JSON in a `google.protobuf.Any` that Envoy hands to a plugin.
fn content(source: &Source, any: &Node) -> Result<Node, Finding> {
    let refuse = |message: String| Finding {
        code: code::NOT_A_STRING,
        level: Level::Error,
        at: any.field("@type").map_or_else(|| any.head(), |(_, value)| value.at.clone()),
        place: String::new(),
        message,
        help: "write { \"@type\": type.googleapis.com/google.protobuf.StringValue, value: '{…}' }".to_owned(),
    };
    match (any.text_at("@type"), any.get("value")) {
        (Some(name), Some(value)) if name.ends_with("google.protobuf.StringValue") => {
            if value.text().is_none() {
                return Err(Finding { at: value.head(), ..refuse("the value is not a string".to_owned()) });
            }
            source.inner(value)
        }
        (Some(name), None) if name.ends_with("google.protobuf.StringValue") => {
            Ok(Node { at: any.head(), value: Value::Table(Vec::new()) })
        }
        (Some(name), _) => {
            let name = name.rsplit('/').next().unwrap_or(name);
            Err(refuse(format!("a {name} does not reach the filter as JSON")))
        }
        (None, _) => Err(refuse("the configuration has no \"@type\"".to_owned())),
    }
}

/// A bare document that does not say which filter it is for.
pub fn unknown_filter(policy: &Node) -> Finding {
    let named = policy.field("filter").map(|(_, value)| value.at.clone());
    let known = Filter::ALL.map(|filter| format!("{:?}", filter.name())).join(", ");
    Finding {
        code: if named.is_some() { Code::BadValue.as_str() } else { code::UNKNOWN_FILTER },
        level: Level::Error,
        at: named.unwrap_or_else(|| policy.head()),
        place: String::new(),
        message: "nothing says which filter this policy is for".to_owned(),
        help: format!("add \"filter\": one of {known}; or say so with --filter"),
    }
}
