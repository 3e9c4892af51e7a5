//! What is written otherwise: rules, tags and metrics by their names, and every other field.

use narrows_core::PolicyValue;

use super::notes::{differing, elements, only_one_has, pairs, same_order};
use crate::source::{Node, Value};

/// The lists of named things in a policy, and whether their order decides.
const LISTS: [(&str, &str, bool); 2] = [("rules", "rule", true), ("metrics", "metric", false)];
/// The parts of a merged policy.
const PARTS: [&str; 4] = ["router", "split", "tags", "egress"];

/// Every difference between two policies of one filter, a phrase each. Splits are compared elsewhere.
pub fn rules(old: &Node, new: &Node) -> Vec<String> {
    let mut changes = part("", old, new);
    let merged = is_merged(old) || is_merged(new);
    for name in PARTS.into_iter().filter(|name| merged && *name != "split") {
        let empty = Node { at: 0..0, value: Value::Table(Vec::new()) };
        let (before, after) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
        changes.extend(part(&format!("{name}: "), before, after));
    }
    changes
}

fn is_merged(policy: &Node) -> bool {
    PARTS.iter().any(|part| matches!(policy.get(part), Some(Node { value: Value::Table(_), .. })))
        && policy.get("rules").is_none()
        && policy.get("metrics").is_none()
}

fn part(before: &str, old: &Node, new: &Node) -> Vec<String> {
    let mut changes = Vec::new();
    let merged = is_merged(old) || is_merged(new);
    let mut shown = vec!["splits", "tags", "rules", "metrics"];
    shown.extend(PARTS.iter().filter(|_| merged));
    let fields = differing(old, new, &shown);
    if !fields.is_empty() {
        changes.push(format!("{before}the policy differs in {}", fields.join(", ")));
    }
    for (list, what, ordered) in LISTS {
        let (from, to) = (elements(old, list), elements(new, list));
        changes.extend(only_one_has(from, to).into_iter().map(|side| format!("{before}{what} {side}")));
        for (name, old, new) in pairs(from, to) {
            let fields = differing(old, new, &[]);
            if !fields.is_empty() {
                changes.push(format!("{before}{what} {name} differs in {}", fields.join(", ")));
            }
        }
        // Of egress-policy's rules none comes first.
        let decides = ordered && old.text_at("filter") != Some("egress-policy") && before != "egress: ";
        if decides && !same_order(from, to) {
            changes.push(format!("{before}the {list} are tried in another order"));
        }
    }
    if !merged {
        changes.extend(tags(before, old, new));
    }
    changes
}

/// Tags are a table by their names.
fn tags(before: &str, old: &Node, new: &Node) -> Vec<String> {
    let tree = |policy: &Node, name: &str| {
        let tags = policy.get("tags").map(Node::fields).unwrap_or_default();
        tags.iter().find(|(key, _)| key.name == name).map(|(_, value)| value.tree())
    };
    let mut names: Vec<&str> = Vec::new();
    for (key, _) in
        [old, new].iter().flat_map(|policy| policy.get("tags").map(Node::fields).unwrap_or_default())
    {
        if !names.contains(&&*key.name) {
            names.push(&key.name);
        }
    }
    let told = |name: &str| match (tree(old, name), tree(new, name)) {
        (Some(PolicyValue::Null) | None, Some(_)) => {
            Some(format!("{before}tag {name} is only in the new policy"))
        }
        (Some(_), None) => Some(format!("{before}tag {name} is only in the old policy")),
        (old, new) if old != new => Some(format!("{before}tag {name} differs")),
        _ => None,
    };
    names.into_iter().filter_map(told).collect()
}
