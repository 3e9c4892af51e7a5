//! The languages that are converted.

/// Whose language a document is in.
#[derive(Clone, Copy)]
pub(super) enum Language {
    VirtualService,
    HttpRoute,
    Ingress,
    /// A configuration of a plugin of Higress: `traffic-tag` or `frontend-gray`.
    Higress,
    /// Virtual hosts of an Envoy's route configuration.
    Envoy,
}
