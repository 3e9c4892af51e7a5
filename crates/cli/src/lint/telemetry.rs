//! The values from which a `Telemetry` makes labels.

use crate::documents::Kind;
use crate::source::Node;

use super::manifest::Manifest;

/// Every value of `tagOverrides`: its path, the value, and where it is.
pub(super) fn values<'n>(manifest: &Manifest<'n>) -> Vec<(String, &'n str, &'n Node)> {
    let mut values = Vec::new();
    if manifest.kind != Kind::Telemetry {
        return values;
    }
    for (i, metric) in manifest.list("spec.metrics").iter().enumerate() {
        let overrides = metric.get("overrides").map(Node::elements).unwrap_or_default();
        for (j, clause) in overrides.iter().enumerate() {
            for (tag, with) in clause.get("tagOverrides").map(Node::fields).unwrap_or_default() {
                let value = with.get("value").and_then(|node| Some((node.text()?, node)));
                let place = format!("spec.metrics[{i}].overrides[{j}].tagOverrides.{}", tag.name);
                values.extend(value.map(|(value, node)| (place, value, node)));
            }
        }
    }
    values
}
