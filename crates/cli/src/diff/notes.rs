//! What else changes, and cannot be told from buckets.

use narrows_core::Tree;

use crate::source::Node;

/// The fields of the split that decide before the key does, where they differ; and
/// what differs beside the splits.
pub fn notes(old: &Node, new: &Node) -> Vec<String> {
    let mut notes = Vec::new();
    let beside = changed(old, new, &["splits", "mode"]);
    if !beside.is_empty() {
        notes.push(format!("the policy also differs in {}", beside.join(", ")));
    }
    let of = |policy: &Node| policy.get("splits").map(|s| s.elements().to_vec()).unwrap_or_default();
    let new_splits = of(new);
    for split in of(old) {
        let Some(name) = split.text_at("name") else { continue };
        let Some(other) = new_splits.iter().find(|other| other.text_at("name") == Some(name)) else {
            continue;
        };
        let differing = changed(&split, other, &["backends", "salt", "key", "weightTotal", "mode"]);
        if !differing.is_empty() {
            notes.push(format!("split {name} also differs in {}", differing.join(", ")));
        }
    }
    notes
}

fn changed(old: &Node, new: &Node, except: &[&str]) -> Vec<String> {
    let value = |node: &Node, name: &str| node.get(name).map_or(Tree::Null, Node::tree);
    let mut names: Vec<&str> = Vec::new();
    for (key, _) in old.fields().iter().chain(new.fields()) {
        if !except.contains(&&*key.name) && !names.contains(&&*key.name) {
            names.push(&key.name);
        }
    }
    names.retain(|name| value(old, name) != value(new, name));
    names.into_iter().map(str::to_owned).collect()
}
