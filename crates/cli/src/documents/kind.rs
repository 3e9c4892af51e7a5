//! The kind of a document, by its own fields.

use crate::source::Node;

/// The kind of a document.
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
    /// Another resource of Kubernetes, which is not checked.
    Other,
}

/// The resources by the name of their kind, each with a check of its API group: other groups have kinds
/// of the same names.
const RESOURCES: [(&str, Kind, fn(&str) -> bool); 9] = [
    ("WasmPlugin", Kind::WasmPlugin, any),
    ("TrafficExtension", Kind::TrafficExtension, any),
    ("Telemetry", Kind::Telemetry, any),
    ("VirtualService", Kind::VirtualService, any),
    ("DestinationRule", Kind::DestinationRule, any),
    ("Gateway", Kind::Gateway, |group| group != "gateway.networking.k8s.io"),
    ("ServiceEntry", Kind::ServiceEntry, any),
    ("Service", Kind::Service, str::is_empty),
    ("EnvoyFilter", Kind::Envoy, any),
];

/// Fields at the top of Envoy's bootstrap, or of a file with one of its resources.
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

impl Kind {
    /// The kind of this document.
    pub fn of(document: &Node) -> Self {
        let Some(kind) = document.text_at("kind") else {
            let is_envoys = ENVOY.iter().any(|field| document.get(field).is_some());
            return if is_envoys { Self::Envoy } else { Self::Policy };
        };
        let version = document.text_at("apiVersion").unwrap_or_default();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let resource = RESOURCES.iter().find(|(name, _, is_of)| *name == kind && is_of(group));
        resource.map_or(Self::Other, |(_, kind, _)| *kind)
    }

    /// The path to the fields of the Wasm plugin, if the resource carries one.
    pub fn plugin(self) -> Option<&'static str> {
        match self {
            Self::WasmPlugin => Some("spec"),
            Self::TrafficExtension => Some("spec.wasm"),
            Self::Policy
            | Self::Telemetry
            | Self::VirtualService
            | Self::DestinationRule
            | Self::Gateway
            | Self::ServiceEntry
            | Self::Service
            | Self::Envoy
            | Self::Other => None,
        }
    }
}

fn any(_group: &str) -> bool {
    true
}
