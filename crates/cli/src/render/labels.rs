//! How labels are extracted from the names of the filter's own series.

use super::RenderRequest;
use crate::write::yaml;

/// Envoy's `stats_config`.
pub(super) fn stats_tags(request: &RenderRequest<'_>) -> String {
    yaml::document(&request.policy.labels(&request.tree).stats_tags())
}

/// Istio's mesh configuration.
pub(super) fn extra_stat_tags(request: &RenderRequest<'_>) -> String {
    yaml::document(&request.policy.labels(&request.tree).extra_stat_tags())
}

/// The annotation of one workload's pods.
pub(super) fn pod_annotation(request: &RenderRequest<'_>) -> String {
    yaml::document(&request.policy.labels(&request.tree).pod_annotation())
}
