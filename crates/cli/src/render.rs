//! Policies as resources: for a release of Istio, or for plain Envoy.

mod clauses;
mod envoy;
mod envoy_filter;
mod extension_policy;
mod kept;
mod labels;
mod resource;
mod telemetry;

use clap::ValueEnum;
use narrows_core::PolicyValue;

use crate::error::CliError;
use crate::filter::{AnyPolicy, Filter};
use crate::istio::{Mode, Release};
pub use kept::{Fields, Given, Kept};

/// What to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A resource of Istio 1.12 and later
    WasmPlugin,
    /// A resource of Istio 1.30 and later
    TrafficExtension,
    /// A resource of Envoy Gateway
    EnvoyExtensionPolicy,
    /// A resource of Istio that puts the filter block into proxies which have the module as a file
    EnvoyFilter,
    /// Labels for the metrics of Istio, from the filter state that the filter writes
    Telemetry,
    /// The HTTP filter in a configuration of Envoy
    EnvoyFilterBlock,
    /// `stats_tags` of Envoy, which extract the labels from the series of the filter
    StatsTags,
    /// The same for one workload in Istio: a patch of its Deployment, for `kubectl patch`
    PodAnnotation,
    /// The same for all of Istio: `extraStatTags` in its mesh configuration
    ExtraStatTags,
}

/// A policy and how it is to be attached.
#[derive(Clone, Debug)]
pub struct RenderRequest<'p> {
    /// The filter.
    pub filter: Filter,
    /// The policy as written.
    pub tree: PolicyValue,
    /// The same, compiled.
    pub policy: &'p AnyPolicy,
    /// The release to render for.
    pub istio: Release,
    /// The resource's name.
    pub name: String,
    /// Its namespace; without one, the namespace in use.
    pub namespace: Option<String>,
    /// Labels of the workloads.
    pub selector: Vec<(String, String)>,
    /// Kind and name of Gateway API's targets.
    pub targets: Vec<(String, String)>,
    /// The address of the module.
    pub url: Option<String>,
    /// The digest that it must have.
    pub sha256: Option<String>,
    /// The direction, as Istio has it.
    pub mode: Option<Mode>,
    /// The ports.
    pub ports: Vec<u16>,
    /// The phase, if not the filter's own.
    pub phase: Option<&'static str>,
    /// The priority, if not the filter's own.
    pub priority: Option<i32>,
    /// Whether the workloads are gateways, although their labels do not show it.
    pub gateway: bool,
    /// Whether every bad policy is refused, the first one too.
    pub strict: bool,
    /// The metric of Istio that gets the labels, if not all of them.
    pub metric: Option<String>,
    /// What the resource that held the policy says besides.
    pub kept: Kept,
}

impl RenderRequest<'_> {
    /// Whether the module holds several filters, so that a root id must choose.
    fn is_bundle(&self) -> bool {
        let module = self.file().and_then(Filter::of_module);
        self.filter == Filter::Narrows || module == Some(Filter::Narrows)
    }

    /// The address of the module or, if there is none, its file.
    fn file(&self) -> Option<&str> {
        // The address that a resource of Istio gives is not one for a proxy without Istio.
        let kept = self.kept.url.as_deref().filter(|url| url.starts_with("file://"));
        self.url.as_deref().or(kept).or(self.kept.file.as_deref())
    }
}

/// Renders a policy.
pub fn render(shape: Shape, request: &RenderRequest<'_>) -> Result<String, CliError> {
    match shape {
        Shape::WasmPlugin => resource::wasm_plugin(request),
        Shape::TrafficExtension => resource::traffic_extension(request),
        Shape::EnvoyExtensionPolicy => extension_policy::render(request),
        Shape::EnvoyFilter => envoy_filter::render(request),
        Shape::Telemetry => telemetry::render(request),
        Shape::EnvoyFilterBlock => envoy::filter_block(request),
        Shape::StatsTags => Ok(labels::stats_tags(request)),
        Shape::PodAnnotation => Ok(labels::pod_annotation(request)),
        Shape::ExtraStatTags => Ok(labels::extra_stat_tags(request)),
    }
}

fn table<const N: usize>(fields: [(&str, PolicyValue); N]) -> PolicyValue {
    PolicyValue::Table(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text(text: impl Into<String>) -> PolicyValue {
    PolicyValue::Text(text.into())
}
