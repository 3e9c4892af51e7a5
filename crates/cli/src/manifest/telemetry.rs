//! Labels for Istio's own metrics out of what the filters publish.

use super::{Manifest, Release, fault};
use crate::code;
use crate::finding::Finding;
use crate::source::Node;

/// What the filters publish begins so.
const OURS: &str = "narrows_";

pub(super) fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let metrics = manifest.resource.get("spec.metrics").map(Node::elements).unwrap_or_default();
    for (i, metric) in metrics.iter().enumerate() {
        let overrides = metric.get("overrides").map(Node::elements).unwrap_or_default();
        for (j, clause) in overrides.iter().enumerate() {
            for (tag, with) in clause.get("tagOverrides").map(Node::fields).unwrap_or_default() {
                let place = format!("spec.metrics[{i}].overrides[{j}].tagOverrides.{}", tag.name);
                one(manifest.release, with, &place, findings);
            }
        }
    }
}

fn one(release: Release, with: &Node, place: &str, findings: &mut Vec<Finding>) {
    let Some((value, node)) = with.get("value").and_then(|node| Some((node.text()?, node))) else { return };
    let modern = Release::minor(24);
    let state = value.contains("filter_state[");
    if state && release < modern {
        findings.push(fault(
            code::NOT_IN_RELEASE,
            &node.at,
            place,
            &format!("before Istio {modern} filter state has the bare name"),
            "write the name alone, without filter_state[\"wasm.…\"]",
        ));
    } else if release >= modern && value.starts_with(OURS) {
        findings.push(fault(
            code::REFUSED,
            &node.at,
            place,
            &format!("from Istio {modern} on the bare name is unknown"),
            &format!("write filter_state[\"wasm.{value}\"]"),
        ));
    } else if let Some((_, name)) = value.split_once("filter_state[\"")
        && name.starts_with(OURS)
    {
        let message = "Envoy puts \"wasm.\" before what a filter publishes";
        findings.push(fault(
            code::REFUSED,
            &node.at,
            place,
            message,
            &format!("write filter_state[\"wasm.{name}"),
        ));
    }
}
