//! The splits of a policy as it is written: of canary-split, alone or as a part of the merged plugin's.

use crate::filter::Filter;
use crate::source::Node;

/// Each split, and its place in the policy; none for another filter.
pub(super) fn of(filter: Filter, policy: &Node) -> impl Iterator<Item = (String, &Node)> {
    let (part, prefix) = match filter {
        Filter::CanarySplit => (Some(policy), ""),
        Filter::Narrows => (policy.get("split"), "split."),
        _ => (None, ""),
    };
    let splits = part.and_then(|part| part.get("splits")).map(Node::elements).unwrap_or_default();
    splits.iter().enumerate().map(move |(index, split)| (format!("{prefix}splits[{index}]"), split))
}
