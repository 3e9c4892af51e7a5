//! What is known about the files beside what they say.

use crate::filter::Filter;
use crate::istio::{ROOT_NAMESPACE, Release};

/// What the caller knows about the files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The filter that bare policies are for.
    pub filter: Option<Filter>,
    /// The Istio release that the resources are for; without one, the newest known release.
    pub istio: Option<Release>,
    /// Istio's root namespace, if it is not the usual one.
    pub root: Option<String>,
    /// The gateways that no file of the run shows.
    pub gateways: Vec<KnownGateway>,
}

/// A gateway that no file of the run shows.
#[derive(Clone, Debug, Default)]
pub struct KnownGateway {
    /// The labels of its pods.
    pub labels: Vec<(String, String)>,
    /// The namespace that it is in; without one, any.
    pub namespace: Option<String>,
    /// The ports that its proxy listens on; none if they are not known.
    pub ports: Vec<i64>,
}

impl Options {
    /// The release that the resources are for.
    pub fn release(&self) -> Release {
        self.istio.unwrap_or(Release::NEWEST)
    }

    /// Istio's root namespace.
    pub fn root(&self) -> &str {
        self.root.as_deref().unwrap_or(ROOT_NAMESPACE)
    }
}

impl KnownGateway {
    /// Whether a resource in this namespace that selects these labels runs on it.
    pub(super) fn is_chosen(&self, namespace: Option<&str>, labels: &[(&str, &str)], root: &str) -> bool {
        let is_there =
            self.namespace.is_none() || namespace == Some(root) || namespace == self.namespace.as_deref();
        let has =
            |(name, value): &(&str, &str)| self.labels.iter().any(|(own, text)| own == name && text == value);
        is_there && !labels.is_empty() && labels.iter().all(has)
    }
}
