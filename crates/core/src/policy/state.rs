//! The filter state that decisions are readable as, without the `wasm.` that Envoy puts before it.

/// The rule of header-router.
pub const RULE: &str = "narrows_rule";
/// The split of canary-split.
pub const SPLIT: &str = "narrows_split";
/// The backend of canary-split.
pub const BACKEND: &str = "narrows_backend";
/// What egress-policy did, and by which rule.
pub const EGRESS: &str = "narrows_egress";
/// What tags are published as, before their names.
pub const TAG: &str = "narrows_";
