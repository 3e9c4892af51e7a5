//! What an `EnvoyFilter` says besides its policies: for which proxies it is.

use super::{Given, Kept, Lost, pairs};
use crate::source::Node;

/// Fields of `match` that choose the place among the filters, and not which connections.
const PLACE: &str = "filterChain";

/// What the resource says besides its policies.
pub(super) fn kept(resource: &Node) -> Kept {
    let labels = resource.get("spec.workloadSelector.labels").map(Node::fields).unwrap_or_default();
    let mut lost = Vec::new();
    for (key, _) in labels.iter().filter(|(_, value)| value.text().is_none()) {
        lost.push(Lost { path: format!("spec.workloadSelector.labels.{}", key.name), by: Given::Target });
    }
    for patch in resource.get("spec.configPatches").map(Node::elements).unwrap_or_default() {
        for (key, value) in patch.get("match").map(Node::fields).unwrap_or_default() {
            let path = format!("spec.configPatches.match.{}", key.name);
            let is_all = match &*key.name {
                "context" => value.text() == Some("ANY"),
                "listener" => value.fields().iter().all(|(key, chain)| {
                    key.name == PLACE && chain.fields().iter().all(|(key, _)| key.name == "filter")
                }),
                _ => false,
            };
            if !is_all && lost.iter().all(|lost: &Lost| lost.path != path) {
                lost.push(Lost { path, by: Given::Place });
            }
        }
    }
    Kept { selector: pairs(labels), lost, ..Kept::default() }
}
