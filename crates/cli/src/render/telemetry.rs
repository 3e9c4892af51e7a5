//! Labels for Istio's own metrics.

use narrows_core::Tree;
use narrows_core::stats_tags::overrides;

use super::resource::choice;
use super::{Wanted, table, text, yaml};
use crate::finding::Failure;
use crate::manifest::Release;

pub(super) fn render(wanted: &Wanted<'_>) -> Result<String, Failure> {
    let published = wanted.policy.published();
    if published.is_empty() {
        let message = "the policy publishes nothing that a label could be made of";
        return Err(Failure::new(message, "name tags in \"publish\""));
    }
    let version = if wanted.istio >= Release::minor(22) { "v1" } else { "v1alpha1" };
    let mut metadata = vec![("name".to_owned(), text(&wanted.name))];
    metadata.extend(wanted.namespace.iter().map(|name| ("namespace".to_owned(), text(name))));
    let mut spec = choice(wanted)?;
    let mut which = vec![("metric".to_owned(), text(wanted.metric.as_deref().unwrap_or("ALL_METRICS")))];
    which.extend(wanted.mode.map(|mode| ("mode".to_owned(), text(mode))));
    let clause = overrides(&published, wanted.istio >= Release::minor(24), which);
    let metric = table([
        ("providers", Tree::List(vec![table([("name", text("prometheus"))])])),
        ("overrides", Tree::List(vec![clause])),
    ]);
    spec.push(("metrics".to_owned(), Tree::List(vec![metric])));
    let document = table([
        ("apiVersion", text(format!("telemetry.istio.io/{version}"))),
        ("kind", text("Telemetry")),
        ("metadata", Tree::Table(metadata)),
        ("spec", Tree::Table(spec)),
    ]);
    Ok(format!("# For Istio {}.\n{}", wanted.istio, yaml::document(&document)))
}
