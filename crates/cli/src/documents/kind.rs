//! The kind of a document, by its own fields.

use narrows_core::PolicyValue;
use narrows_core::describe::Object;
use narrows_core::nearest::suggestion;

use crate::filter::Filter;
use crate::source::{Key, Node, Value};

/// The kind of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A policy and nothing else.
    Policy,
    /// Istio's `WasmPlugin`.
    WasmPlugin,
    /// Istio's `TrafficExtension`.
    TrafficExtension,
    /// Envoy Gateway's `EnvoyExtensionPolicy`.
    ExtensionPolicy,
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
    /// Kubernetes's `ConfigMap`, which may hold files of Envoy.
    ConfigMap,
    /// Anything that may hold Envoy's Wasm filters: an `EnvoyFilter`, a bootstrap, a dump.
    Envoy,
    /// Another resource of Kubernetes, which is not checked.
    Other,
    /// Neither a resource nor anything that looks like a policy.
    Unknown,
}

/// The resources by the name of their kind, each with a check of its API group: other groups have kinds
/// of the same names.
const RESOURCES: [(&str, Kind, fn(&str) -> bool); 11] = [
    ("WasmPlugin", Kind::WasmPlugin, is_istios),
    ("TrafficExtension", Kind::TrafficExtension, is_istios),
    ("EnvoyExtensionPolicy", Kind::ExtensionPolicy, |group| group == "gateway.envoyproxy.io"),
    ("Telemetry", Kind::Telemetry, is_istios),
    ("VirtualService", Kind::VirtualService, is_istios),
    ("DestinationRule", Kind::DestinationRule, is_istios),
    ("Gateway", Kind::Gateway, is_istios),
    ("ServiceEntry", Kind::ServiceEntry, is_istios),
    ("Service", Kind::Service, str::is_empty),
    ("ConfigMap", Kind::ConfigMap, str::is_empty),
    ("EnvoyFilter", Kind::Envoy, is_istios),
];

/// The routes of Gateway API, which some rules read.
const ROUTES: [(&str, fn(&str) -> bool); 2] =
    [("HTTPRoute", is_gateway_apis as fn(&str) -> bool), ("GRPCRoute", is_gateway_apis)];

fn is_gateway_apis(group: &str) -> bool {
    group == "gateway.networking.k8s.io"
}

/// A group of Istio, or none at all. A misspelt one is still meant for Istio.
fn is_istios(group: &str) -> bool {
    group.is_empty() || group.ends_with("istio.io")
}

/// Fields at the top of Envoy's bootstrap, of a file with one of its resources, or of what its admin
/// interface prints; there in either spelling.
const ENVOY: [&str; 13] = [
    "static_resources",
    "dynamic_resources",
    "http_filters",
    "resources",
    "listeners",
    "filter_chains",
    "typed_config",
    "@type",
    "configs",
    "staticResources",
    "httpFilters",
    "filterChains",
    "typedConfig",
];

impl Kind {
    /// The kind of this document.
    pub fn of(document: &Node) -> Self {
        if matches!(document.value, Value::List(_)) {
            return Self::Envoy;
        }
        let Some(kind) = document.text_at("kind") else {
            let is_envoys = ENVOY.iter().any(|field| document.get(field).is_some());
            return if is_envoys {
                Self::Envoy
            } else if is_policy(document) {
                Self::Policy
            } else {
                Self::Unknown
            };
        };
        let version = document.text_at("apiVersion").unwrap_or_default();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let resource = RESOURCES.iter().find(|(name, _, is_of)| *name == kind && is_of(group));
        resource.map_or(Self::Other, |(_, kind, _)| *kind)
    }

    /// The kind that is meant by one that differs from it in letter case alone: Kubernetes tells them apart.
    pub fn meant(resource: &Node) -> Option<&'static str> {
        let written = resource.text_at("kind")?;
        let version = resource.text_at("apiVersion").unwrap_or_default();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = RESOURCES.iter().map(|(name, _, is_of)| (*name, *is_of)).chain(ROUTES);
        let same = |name: &str| name != written && name.eq_ignore_ascii_case(written);
        // Without a version nothing tells a resource of another program.
        known
            .filter(|(_, is_of)| !version.is_empty() && is_of(group))
            .map(|(name, _)| name)
            .find(|name| same(name))
    }

    /// The path to the fields of the Wasm plugin, if the resource carries one.
    pub fn plugin(self) -> Option<&'static str> {
        match self {
            Self::WasmPlugin => Some("spec"),
            Self::TrafficExtension => Some("spec.wasm"),
            _ => None,
        }
    }
}

/// Whether a table without a kind looks like a policy: it names one of the filters; or all of its fields
/// are fields of one filter's policies, or all but one, which is then misspelt. Other programs have
/// files of YAML too.
fn is_policy(document: &Node) -> bool {
    let Value::Table(fields) = &document.value else { return false };
    let names = |name: &str| document.text_at("filter").is_some_and(|filter| filter == name);
    let names_one = || Filter::ALL.iter().any(|filter| names(filter.name()));
    if fields.is_empty() || names_one() || misspelt_filter(document).is_some() {
        return true;
    }
    Filter::ALL.iter().any(|filter| {
        let known = fields.iter().filter(|(key, value)| {
            // A label or a list of another program is rarely of the same type.
            knows(filter.language(), &key.name) && !matches!(value.value, Value::Scalar(PolicyValue::Null))
        });
        let known = known.count();
        known == fields.len() || (known >= 2 && known + 1 == fields.len())
    })
}

/// The field that names one of the filters under another name, near to the right one.
pub(super) fn misspelt_filter(policy: &Node) -> Option<&Key> {
    let is_filter = |value: &Node| value.text().is_some_and(|text| Filter::named(text).is_some());
    let is_near = |key: &Key| key.name != "filter" && suggestion(&key.name, &["filter"]).is_some();
    policy.fields().iter().find(|(key, value)| is_filter(value) && is_near(key)).map(|(key, _)| key)
}

fn knows(object: &Object, name: &str) -> bool {
    object.fields.iter().any(|field| field.name == name)
        || object.includes.iter().any(|object| knows(object, name))
}
