//! The names of the filter state that holds decisions, without the `wasm.` that Envoy puts before them.

/// The rule of header-router.
pub const RULE: &str = "narrows_rule";
/// The split of canary-split.
pub const SPLIT: &str = "narrows_split";
/// The backend of canary-split.
pub const BACKEND: &str = "narrows_backend";
/// What egress-policy did, and the rule that decided.
pub const EGRESS: &str = "narrows_egress";
/// Names of filter state, each with a label of the same name.
pub(crate) fn published(names: &[&str]) -> Vec<(Box<str>, Box<str>)> {
    names.iter().map(|name| ((*name).into(), (*name).into())).collect()
}

/// The prefix of the filter state in which tags are published.
pub const TAG: &str = "narrows_";
