//! Files of JSON. Whoever loads such a file reads it as JSON, so it is not read as YAML here.

use narrows_cases::{Words, in_words};
use narrows_core::PolicyValue;
use serde::de::IgnoredAny;

use super::{Node, line_of, node};

/// The document of a file of JSON. If it cannot be read, returns the fault and its place.
pub(super) fn document(text: &str) -> Result<Vec<Node>, (std::ops::Range<usize>, Words)> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if let Err(broken) = serde_json::from_str::<IgnoredAny>(text) {
        let place = format!(" at line {} column {}", broken.line(), broken.column());
        let at = offset(text, &broken);
        return Err((at..at + 1, in_words(&broken.to_string().replace(&place, ""))));
    }
    // Almost every text of JSON is YAML too, and YAML is read with places.
    let placed = node::documents(text);
    match (serde_json::from_str::<PolicyValue>(text), placed) {
        (Ok(tree), Ok(placed)) if placed.len() == 1 && placed.iter().all(|node| node.tree() == tree) => {
            Ok(placed)
        }
        (Ok(tree), _) => Ok(vec![Node::unplaced(&tree, &line_of(text, 0))]),
        // It is larger than any policy.
        (Err(_), placed) => placed,
    }
}

/// Where a text stops to be JSON.
pub(super) fn offset(text: &str, broken: &serde_json::Error) -> usize {
    let line = text.split_inclusive('\n').take(broken.line().max(1) - 1).map(str::len).sum::<usize>();
    line + broken.column().max(1) - 1
}
