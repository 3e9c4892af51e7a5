//! What an `EnvoyFilter` says besides its policies: for which proxies it is.

use super::{Given, Kept, Lost, pairs};
use crate::source::{Key, Node};

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
        matched(patch, &mut |path, by| {
            let path = format!("spec.configPatches.match.{path}");
            if lost.iter().all(|lost: &Lost| lost.path != path) {
                lost.push(Lost { path, by });
            }
        });
    }
    Kept { selector: pairs(labels), lost, ..Kept::default() }
}

/// Tells what chooses connections of a proxy.
fn matched(patch: &Node, tell: &mut dyn FnMut(String, Given)) {
    for (key, value) in patch.get("match").map(Node::fields).unwrap_or_default() {
        match &*key.name {
            "context" if value.text() == Some("ANY") => {}
            "context" => tell("context".to_owned(), Given::Direction),
            "listener" => listened(value, tell),
            other => tell(other.to_owned(), Given::Nothing),
        }
    }
}

fn listened(listener: &Node, tell: &mut dyn FnMut(String, Given)) {
    for (key, value) in listener.fields() {
        let is_place = |(key, _): &(Key, Node)| key.name == "filter";
        match &*key.name {
            PLACE if value.fields().iter().all(is_place) => {}
            "portNumber" => tell("listener.portNumber".to_owned(), Given::Ports),
            other => tell(format!("listener.{other}"), Given::Nothing),
        }
    }
}
