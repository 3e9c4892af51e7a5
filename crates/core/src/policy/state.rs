//! The filter state that decisions are readable as, without the `wasm.` that Envoy puts before it.

/// The rule of header-router.
pub const RULE: &str = "narrows_rule";
/// The split of canary-split.
pub const SPLIT: &str = "narrows_split";
/// The backend of canary-split.
pub const BACKEND: &str = "narrows_backend";
/// What egress-policy did, and by which rule.
pub const EGRESS: &str = "narrows_egress";
/// Names of filter state, each as a label of its own name.
pub(crate) fn published(names: &[&str]) -> Vec<(Box<str>, Box<str>)> {
    names.iter().map(|name| ((*name).into(), (*name).into())).collect()
}

/// What tags are published as, before their names.
pub const TAG: &str = "narrows_";
