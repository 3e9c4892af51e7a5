//! Other differences, which the numbers of buckets do not show.

use narrows_core::PolicyValue;

use super::splits::{Move, MoveKind, Redrawn, SplitDiff};
use crate::source::Node;

/// Fields of a backend that the buckets show.
const OF_BACKEND: [&str; 2] = ["weight", "maxWeight"];

/// Every difference between two policies that the numbers do not show. A difference is noted unless it
/// is known to be in the numbers.
pub fn notes(old: &Node, new: &Node, diffs: &[SplitDiff]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut shown = vec!["splits"];
    if !diffs.is_empty() && diffs.iter().all(|diff| diff.mode.is_some()) {
        shown.push("mode");
    }
    note(&mut notes, "the policy", &differing(old, new, &shown));
    let (old_splits, new_splits) = (elements(old, "splits"), elements(new, "splits"));
    for side in only_one_has(old_splits, new_splits) {
        notes.push(format!("split {side}"));
    }
    if !same_order(old_splits, new_splits) {
        notes.push("the splits are tried in another order".to_owned());
    }
    for (name, old, new) in pairs(old_splits, new_splits) {
        let diff = diffs.iter().find(|diff| diff.name == name);
        split(&mut notes, name, old, new, diff);
    }
    notes
}

fn split(notes: &mut Vec<String>, name: &str, old: &Node, new: &Node, diff: Option<&SplitDiff>) {
    // The buckets, or a line of their own, show these.
    let mut shown = vec!["backends", "weightTotal"];
    if diff.is_some_and(|diff| diff.mode.is_some()) {
        shown.push("mode");
    }
    shown.extend(diff.and_then(|diff| diff.redrawn).map(Redrawn::field));
    note(notes, &format!("split {name}"), &differing(old, new, &shown));
    let (old_backends, new_backends) = (elements(old, "backends"), elements(new, "backends"));
    for side in only_one_has(old_backends, new_backends) {
        notes.push(format!("split {name}: backend {side}"));
    }
    for (backend, old, new) in pairs(old_backends, new_backends) {
        // Where its users are elsewhere, a move says so.
        let moved = |one: &Move| one.kind == MoveKind::Elsewhere && one.from == backend;
        let is_shown = diff.is_some_and(|diff| diff.moves.iter().any(moved));
        let shown =
            if is_shown { [&OF_BACKEND[..], &["to", "authority"]].concat() } else { OF_BACKEND.to_vec() };
        note(notes, &format!("backend {backend} of split {name}"), &differing(old, new, &shown));
    }
}

fn note(notes: &mut Vec<String>, what: &str, fields: &[&str]) {
    if !fields.is_empty() {
        notes.push(format!("{what} also differs in {}", fields.join(", ")));
    }
}

pub(super) fn elements<'n>(node: &'n Node, list: &str) -> &'n [Node] {
    node.get(list).map(Node::elements).unwrap_or_default()
}

/// The elements that have the same name in two lists.
pub(super) fn pairs<'n>(
    old: &'n [Node],
    new: &'n [Node],
) -> impl Iterator<Item = (&'n str, &'n Node, &'n Node)> {
    old.iter().filter_map(|one| {
        let name = one.text_at("name")?;
        Some((name, one, new.iter().find(|other| other.text_at("name") == Some(name))?))
    })
}

/// The elements that only one of two lists has.
pub(super) fn only_one_has(old: &[Node], new: &[Node]) -> Vec<String> {
    let missing = |from: &[Node], to: &[Node], policy: &str| -> Vec<String> {
        let names = from.iter().filter_map(|one| one.text_at("name"));
        let names = names.filter(|name| !to.iter().any(|other| other.text_at("name") == Some(name)));
        names.map(|name| format!("{name} is only in the {policy} policy")).collect()
    };
    [missing(old, new, "old"), missing(new, old, "new")].concat()
}

/// Whether the elements that both lists have are in the same order.
pub(super) fn same_order(old: &[Node], new: &[Node]) -> bool {
    let there: Vec<&str> = pairs(old, new).map(|(name, ..)| name).collect();
    pairs(new, old).map(|(name, ..)| name).eq(there)
}

/// The fields that differ, except those that are shown.
pub(super) fn differing<'n>(old: &'n Node, new: &'n Node, shown: &[&str]) -> Vec<&'n str> {
    let value = |node: &Node, name: &str| node.get(name).map_or(PolicyValue::Null, Node::tree);
    let mut names: Vec<&str> = Vec::new();
    for (key, _) in old.fields().iter().chain(new.fields()) {
        if !shown.contains(&&*key.name) && !names.contains(&&*key.name) {
            names.push(&key.name);
        }
    }
    names.retain(|name| value(old, name) != value(new, name));
    names
}
