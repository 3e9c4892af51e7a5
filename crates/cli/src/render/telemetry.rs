//! Labels for Istio's own metrics.

use narrows_core::PolicyValue;
use narrows_core::stats_tags::overrides;

use super::kept::{Kept, metadata};
use super::resource::choice;
use super::{RenderRequest, table, text};
use crate::error::CliError;
use crate::istio::Release;
use crate::write::yaml;

pub(super) fn render(request: &RenderRequest<'_>) -> Result<String, CliError> {
    let published = request.policy.published();
    if published.is_empty() {
        let message = "the policy publishes no filter state for labels";
        return Err(CliError::new(message, "name tags in \"publish\""));
    }
    let version = if request.istio >= Release::minor(22) { "v1" } else { "v1alpha1" };
    // The labels and annotations of a plugin are not those of the Telemetry beside it.
    let metadata = metadata(&request.name, request.namespace.as_deref(), &Kept::default());
    let mut spec = choice(request)?;
    let mut which = vec![("metric".to_owned(), text(request.metric.as_deref().unwrap_or("ALL_METRICS")))];
    which.extend(request.mode.map(|mode| ("mode".to_owned(), text(mode.as_str()))));
    let clause = overrides(&published, request.istio >= Release::minor(24), which);
    let metric = table([
        ("providers", PolicyValue::List(vec![table([("name", text("prometheus"))])])),
        ("overrides", PolicyValue::List(vec![clause])),
    ]);
    spec.push(("metrics".to_owned(), PolicyValue::List(vec![metric])));
    let document = table([
        ("apiVersion", text(format!("telemetry.istio.io/{version}"))),
        ("kind", text("Telemetry")),
        ("metadata", metadata),
        ("spec", PolicyValue::Table(spec)),
    ]);
    Ok(format!("# For Istio {}.\n{}", request.istio, yaml::document(&document)))
}
