//! What holds for a filter whatever its policy is: whether it is strict, and the gauges that show that
//! it runs, that a policy was rejected, and which policy is in force.

use crate::language::describe::{Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::policy::series::{self, BuiltinTag, Kind, LABELS, Label, LabelEncoding, Series};

/// The fields of a VM configuration.
pub static VM: Object = object!(
    "vm",
    Any,
    "What holds for a filter whatever its policy.",
    [],
    [field!(
        "strict",
        Flag,
        Holds(false),
        "Whether a bad policy is refused always, even where traffic then stops."
    )],
);

/// Reads a VM configuration, `{"strict": true}` or nothing. Returns whether a bad policy is always
/// refused, even where traffic then stops.
pub fn strict(text: &[u8]) -> Result<bool, Invalid> {
    let tree = PolicyValue::parse(text)?;
    let fields = Fields::open(&tree, &VM)?;
    Ok(fields.optional("strict", read::flag)?.unwrap_or(false))
}

/// The end of a root id that asks for strictness, where there is no VM configuration. Istio sets the
/// root id from `pluginName`.
pub const STRICT: &str = ".strict";

/// Whether a root id asks for strictness.
pub fn is_strict(root_id: &[u8]) -> bool {
    root_id.ends_with(STRICT.as_bytes())
}

/// The labels that a policy asks for, as far as it can be read.
pub fn label_encoding(tree: &PolicyValue) -> LabelEncoding {
    let PolicyValue::Table(fields) = tree else { return LabelEncoding::default() };
    let labels = fields.iter().filter(|(name, _)| name == LABELS.name);
    let is_stock =
        labels.filter_map(|(_, value)| series::label_encoding(value).ok()).any(|g| g == LabelEncoding::Stock);
    if is_stock { LabelEncoding::Stock } else { LabelEncoding::StatTags }
}

/// The name of the gauge of rejected policies.
pub(crate) const REJECTED: &str = "narrows_config_rejected";
/// The name of the gauge of filters that run.
pub(crate) const UP: &str = "narrows_up";
/// See [`digest_series`].
pub(crate) const DIGEST: &str = "narrows_policy_digest";

/// The gauge that is 1 while the last policy of any plugin of a filter is a rejected one.
pub fn rejected_series(filter: &str, encoding: LabelEncoding) -> Series {
    of_filter(filter, encoding, REJECTED)
}

/// The gauge that is 1 while a proxy runs a plugin of a filter.
pub fn up_series(filter: &str, encoding: LabelEncoding) -> Series {
    of_filter(filter, encoding, UP)
}

/// The gauge that shows which policy of a plugin is in force, by its number
/// ([`policy_digest`](crate::policy_digest)); 0 when the plugin is gone.
pub fn digest_series(filter: &str, plugin: &str, encoding: LabelEncoding) -> Series {
    let plugin = Label { name: "plugin", stock: BuiltinTag::Tag, value: plugin };
    Series::new(Kind::Gauge, encoding, DIGEST, &[named(filter), plugin])
}

fn of_filter(filter: &str, encoding: LabelEncoding, name: &str) -> Series {
    Series::new(Kind::Gauge, encoding, name, &[named(filter)])
}

fn named(filter: &str) -> Label<'_> {
    Label { name: "filter", stock: BuiltinTag::Component, value: filter }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{digest_series, is_strict, label_encoding, rejected_series, up_series};
    use crate::language::policy_value::PolicyValue;
    use crate::policy::series::LabelEncoding;

    #[test]
    fn the_labels_are_read_from_a_policy_with_faults_too() {
        for (policy, expected) in [
            (r#"{"labels": "stock", "ruls": 1}"#, LabelEncoding::Stock),
            (r#"{"labels": "stat-tags"}"#, LabelEncoding::StatTags),
            (r#"{"labels": 1}"#, LabelEncoding::StatTags),
            ("", LabelEncoding::StatTags),
        ] {
            assert_eq!(label_encoding(&PolicyValue::parse(policy.as_bytes()).unwrap()), expected, "{policy}");
        }
        let name = |encoding| rejected_series("canary-split", encoding).name;
        assert_eq!(&*name(LabelEncoding::StatTags), "filter=.=canary-split;.;narrows_config_rejected");
        assert_eq!(&*name(LabelEncoding::Stock), "component.canary-split.narrows_config_rejected");
        let up = up_series("canary-split", LabelEncoding::StatTags).name;
        assert_eq!(&*up, "filter=.=canary-split;.;narrows_up");
        let name = |encoding| digest_series("canary-split", "books.stock", encoding).name;
        let written = "filter=.=canary-split;.;plugin=.=books.stock;.;narrows_policy_digest";
        assert_eq!(&*name(LabelEncoding::StatTags), written);
        let stock = "component.canary-split.tag.books.stock;.narrows_policy_digest";
        assert_eq!(&*name(LabelEncoding::Stock), stock);
    }

    #[test]
    fn a_root_id_may_ask_for_strictness() {
        for (root_id, expected) in [
            ("header-router.strict", true),
            (".strict", true),
            ("strict", false),
            ("header-router", false),
            ("header-router.strict.x", false),
            ("header-router.Strict", false),
            ("", false),
        ] {
            assert_eq!(is_strict(root_id.as_bytes()), expected, "{root_id}");
        }
    }
}
