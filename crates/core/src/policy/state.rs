//! The names of the filter state that holds decisions, without the `wasm.` that Envoy puts before them.

use super::head::Head;

/// The rule of header-router.
pub const RULE: &str = "narrows_rule";
/// The split of canary-split.
pub const SPLIT: &str = "narrows_split";
/// The backend of canary-split.
pub const BACKEND: &str = "narrows_backend";
/// What egress-policy did, and the rule that decided.
pub const EGRESS: &str = "narrows_egress";
/// The lane that traffic-lanes remembered or restored.
pub const LANE: &str = "narrows_lane";
/// The backend from which the rollback of canary-split has turned the request back.
pub const ROLLBACK: &str = "narrows_rollback";
/// All of them.
pub(crate) const DECISIONS: [&str; 6] = [RULE, SPLIT, BACKEND, EGRESS, LANE, ROLLBACK];

/// Names of filter state, each with a label of the same name; none if the policy publishes nothing.
pub(crate) fn published(head: &Head, names: &[&str]) -> Vec<(Box<str>, Box<str>)> {
    names.iter().filter(|_| !head.is_silent).map(|name| ((*name).into(), (*name).into())).collect()
}

/// The prefix of the filter state in which tags are published.
pub const TAG: &str = "narrows_";
