//! Values that Istio's validation refuses although their type is right.

use narrows_core::PolicyValue;

use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::manifest::Manifest;
use crate::source::{Node, Value};

/// Labels are compared as they are: there are no wildcards.
pub(super) fn selectors(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let path = match manifest.kind {
        Kind::WasmPlugin | Kind::TrafficExtension | Kind::Telemetry => "spec.selector.matchLabels",
        Kind::ServiceEntry => "spec.workloadSelector.labels",
        _ => return,
    };
    for (key, value) in manifest.resource.get(path).map(Node::fields).unwrap_or_default() {
        let text = value.text().unwrap_or_default();
        let place = format!("{path}.{}", key.name);
        let (at, message) = if text.contains('*') {
            (&value.at, "a label is compared as it is: there is no \"*\"")
        } else if key.name.contains('*') && manifest.kind != Kind::ServiceEntry {
            (&key.at, "the name of a label has no \"*\"")
        } else if key.name.is_empty() {
            (&key.at, "the name of a label is empty")
        } else if text.len() > 63 {
            (&value.at, "the value of a label has at most 63 characters")
        } else {
            continue;
        };
        let help = "write a label that the pods have";
        findings.push(Finding::error(&super::RULE.code, at, &place, message, help));
    }
}

/// `UPSERT` needs a value, and `REMOVE` takes none.
pub(super) fn tag_overrides(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.kind != Kind::Telemetry {
        return;
    }
    for (i, metric) in manifest.list("spec.metrics").iter().enumerate() {
        let overrides = metric.get("overrides").map(Node::elements).unwrap_or_default();
        for (j, clause) in overrides.iter().enumerate() {
            for (tag, with) in clause.get("tagOverrides").map(Node::fields).unwrap_or_default() {
                let has_value = with.text_at("value").is_some_and(|value| !value.is_empty());
                let (message, help) = match (with.text_at("operation"), has_value) {
                    (Some("UPSERT"), false) => ("UPSERT without a \"value\"", "add \"value\""),
                    (Some("REMOVE"), true) => {
                        ("REMOVE with a \"value\"", "leave out \"value\", or write UPSERT")
                    }
                    _ => continue,
                };
                let place = format!("spec.metrics[{i}].overrides[{j}].tagOverrides.{}", tag.name);
                findings.push(Finding::error(&super::RULE.code, &tag.at, &place, message, help));
            }
        }
    }
}

/// The warm-up of a load balancer, wherever a `DestinationRule` has a traffic policy.
pub(super) fn warmup(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.kind != Kind::DestinationRule {
        return;
    }
    let subsets = manifest.list("spec.subsets").iter().filter_map(|subset| subset.get("trafficPolicy"));
    for policy in manifest.resource.get("spec.trafficPolicy").into_iter().chain(subsets) {
        let ports = policy.get("portLevelSettings").map(Node::elements).unwrap_or_default();
        for part in std::iter::once(policy).chain(ports) {
            let Some((key, warmup)) = part.field("loadBalancer.warmup") else { continue };
            let mut add = |node: &std::ops::Range<usize>, field: &str, message: &str, help: &str| {
                let place = format!("loadBalancer.warmup{field}");
                findings.push(Finding::error(&super::RULE.code, node, &place, message, help));
            };
            if warmup.get("duration").is_none() {
                add(
                    &key.at,
                    ".duration",
                    "a warm-up without its \"duration\"",
                    "add \"duration\", such as 300s",
                );
            }
            for (field, is_right, message) in [
                (
                    "minimumPercent",
                    (|n| (0.0..=100.0).contains(&n)) as fn(f64) -> bool,
                    "a percentage is from 0 to 100",
                ),
                ("aggression", |n| n >= 1.0, "the aggression is at least 1"),
            ] {
                let Some(node) = warmup.get(field) else { continue };
                if number(node).is_some_and(|n| !is_right(n)) {
                    add(&node.at, &format!(".{field}"), message, "write a number within that range");
                }
            }
        }
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Scalar(PolicyValue::Integer(n)) => Some(i32::try_from(n).map_or(f64::MAX, f64::from)),
        Value::Scalar(PolicyValue::Fraction(n)) => Some(n),
        _ => None,
    }
}
