//! What is known about the files beside what they say.

use std::path::Path;

use crate::files::Pattern;
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
    /// The beginnings of the codes that are reported; none means all.
    pub select: Vec<String>,
    /// The beginnings of the codes that are not reported.
    pub ignore: Vec<String>,
    /// Those that are not reported of some files.
    pub per_file: Vec<PerFile>,
}

/// Codes that are not reported of some files.
#[derive(Clone, Debug)]
pub struct PerFile {
    /// The files.
    pub files: Pattern,
    /// The beginnings of the codes.
    pub codes: Vec<String>,
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

    /// Whether a finding of this code in this file is reported.
    pub(super) fn reports(&self, code: &str, file: &str) -> bool {
        let is_in = |codes: &[String]| codes.iter().any(|begin| code.starts_with(begin.as_str()));
        // What cannot be read can hide everything else.
        (self.select.is_empty() || code == "NRW100" || is_in(&self.select))
            && !is_in(&self.ignore)
            && !self.per_file.iter().any(|of| is_in(&of.codes) && of.files.is_match(Path::new(file)))
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
