//! Facts about Istio: its releases, the fields of its resources, and what a filter can be attached to.
//!
//! Sources: `extensions/v1alpha1/*.proto`, `telemetry/v1/*.proto` and `networking/v1/*.proto`
//! of istio/api at the release tags, and the validation and listener code of istiod.

pub mod fields;
mod mode;
mod release;

pub use mode::Mode;
pub use release::Release;

/// Istio's root namespace, unless an operator chose another.
pub const ROOT_NAMESPACE: &str = "istio-system";

/// Kinds of `targetRefs`, with their API group.
pub const TARGETS: [(&str, &str); 4] = [
    ("Gateway", "gateway.networking.k8s.io"),
    ("GatewayClass", "gateway.networking.k8s.io"),
    ("Service", ""),
    ("ServiceEntry", "networking.istio.io"),
];
