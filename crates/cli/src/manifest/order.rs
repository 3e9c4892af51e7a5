//! The order of filters on one proxy.

use narrows_core::Tree;

use super::warning;
use crate::code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::{Node, Value};
use crate::wrap::Kind;

/// Filters that run on the same proxies in an order that nobody wrote down: within a
/// phase higher priorities come first, a missing one is the lowest of all, and between
/// equals the older resource wins.
pub fn order(resources: &[&Node]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let filters: Vec<_> =
        resources.iter().filter_map(|resource| Some((*resource, filter(resource)?))).collect();
    for (i, (later, second)) in filters.iter().enumerate() {
        let rival = filters.iter().take(i).find(|(earlier, first)| {
            first != second && places(earlier) == places(later) && scope(earlier) == scope(later)
        });
        let Some((_, first)) = rival else { continue };
        let at = later.field("spec.priority").map(|(_, value)| value.at.clone());
        findings.push(warning(
            code::ORDER,
            &at.unwrap_or_else(|| {
                later.field("spec").map_or_else(|| later.head(), |(key, _)| key.at.clone())
            }),
            "spec.priority",
            &format!("nothing says whether {} runs before {}", second.name(), first.name()),
            "give each a priority: higher runs first",
        ));
    }
    findings
}

fn filter(resource: &Node) -> Option<Filter> {
    let url = match Kind::of(resource) {
        Kind::WasmPlugin => resource.text_at("spec.url"),
        Kind::TrafficExtension => resource.text_at("spec.wasm.url"),
        _ => None,
    };
    url.and_then(Filter::of_module)
}

fn places(resource: &Node) -> (&str, i64) {
    let phase = resource.text_at("spec.phase").unwrap_or_default();
    let priority = match resource.get("spec.priority").map(|node| &node.value) {
        Some(Value::Scalar(Tree::Integer(priority))) => *priority,
        _ => i64::MIN,
    };
    (phase, priority)
}

fn scope(resource: &Node) -> (Option<&str>, Option<Tree>, Option<Tree>) {
    let tree = |path| resource.get(path).map(Node::tree);
    (resource.text_at("metadata.namespace"), tree("spec.selector"), tree("spec.targetRefs"))
}
