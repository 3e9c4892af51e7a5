//! The names of series, in the grammars that Envoy's tag extraction reads.
//!
//! proxy-wasm has no labels: a label is cut out of a metric's name by a regular
//! expression of the proxy's bootstrap. Two grammars are in use:
//!
//! * `stat-tags`: `rule=.=beta;.;narrows_router_requests_total`. `stats_tags` (Envoy) or
//!   `extraStatTags` (Istio) cut the label out, by its name.
//! * `stock`: `wasm_filter.…`, `component.…`, `tag.…;`, `cache.…` and a code class at
//!   the end. Istio's own bootstrap cuts them out.
//!
//! Those expressions find their word anywhere in a name, even in a value: a value that holds
//! `component.` would make a label of its own. So values are cleaned first.

use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

/// One series: what kind it is, and its full name in Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// How it counts.
    pub kind: Kind,
    /// The name to define, labels included.
    pub name: Box<str>,
}

/// How a series counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It is set.
    Gauge,
    /// It records values, in milliseconds or bytes.
    Histogram,
}

const GRAMMARS: [(&str, LabelEncoding); 2] =
    [("stat-tags", LabelEncoding::StatTags), ("stock", LabelEncoding::Stock)];

/// `labels` of a policy.
pub(crate) const LABELS: Field = field!(
    "labels",
    Words(|| words(&GRAMMARS)),
    Says("stat-tags"),
    "How series carry their labels: for `extraStatTags`, or as Istio's own bootstrap reads them (`stock`)."
);

/// Reads `labels`.
pub(crate) fn label_encoding(tree: &PolicyValue) -> Result<LabelEncoding, Invalid> {
    read::word(tree, &GRAMMARS)
}

/// How labels are written into names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelEncoding {
    /// `name=.=value;.;`
    #[default]
    StatTags,
    /// The labels that Istio's default bootstrap knows.
    Stock,
}

/// A label: what it is called, which of Istio's stock labels carries it, its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'l> {
    pub(crate) name: &'l str,
    pub(crate) stock: BuiltinTag,
    pub(crate) value: &'l str,
}

/// The labels of Istio's default bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuiltinTag {
    WasmFilter,
    /// The only one whose value may hold dots.
    Tag,
    Component,
    Cache,
    /// At the end of the name, as `_rq_200`.
    Code,
    /// At the end of the name, as `_rq_2xx`.
    CodeClass,
}

impl BuiltinTag {
    /// The label, as Prometheus shows it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::WasmFilter => "wasm_filter",
            Self::Tag => "tag",
            Self::Component => "component",
            Self::Cache => "cache",
            Self::Code => "response_code",
            Self::CodeClass => "response_code_class",
        }
    }
}

impl Series {
    #[inline(never)]
    pub(crate) fn new(kind: Kind, encoding: LabelEncoding, name: &str, labels: &[Label<'_>]) -> Self {
        let mut full = String::new();
        let mut code = None;
        let mut put = |parts: &[&str]| parts.iter().for_each(|part| full.push_str(part));
        for label in labels {
            let mut value = label_value(label.value);
            // With stock labels a dot precedes the value, and some of the proxy's own labels begin with
            // a dot.
            if encoding == LabelEncoding::Stock && DOTTED.iter().any(|word| value.starts_with(word)) {
                value.insert(0, REPLACEMENT);
            }
            match (encoding, label.stock) {
                (LabelEncoding::StatTags, _) => put(&[label.name, ASSIGNS, &value, ENDS]),
                (LabelEncoding::Stock, BuiltinTag::Code | BuiltinTag::CodeClass) => code = Some(label.value),
                (LabelEncoding::Stock, BuiltinTag::Tag) => put(&["tag.", &value, ";."]),
                (LabelEncoding::Stock, stock) => put(&[stock.as_str(), ".", &undotted(&value), "."]),
            }
        }
        put(&[name]);
        if let Some(code) = code {
            put(&["_rq_", code]);
        }
        Self { kind, name: full.into() }
    }

    /// The labels in the name, if it is written with `stat-tags`.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.name.split(ENDS).filter_map(|part| part.split_once(ASSIGNS)).map(|(label, _)| label)
    }
}

/// The separators: between a label and its value, and after the value.
const ASSIGNS: &str = "=.=";
const ENDS: &str = ";.;";

/// A stock label's value ends at the first dot. If the end of a value reads like the name of a label,
/// that dot would begin a label.
fn undotted(value: &str) -> String {
    let mut value = value.replace('.', "_");
    if STOCK_LABELS.iter().any(|label| value.ends_with(label)) {
        value.push(REPLACEMENT);
    }
    value
}

/// A value that no expression of Istio's bootstrap takes for a label, and in which Envoy drops no dot:
/// Envoy keeps no dot at an end of a label, and no two dots in a row.
fn label_value(value: &str) -> String {
    let mut clean = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        let (before, after) = value.split_at_checked(at).unwrap_or_default();
        let after = after.strip_prefix('.').unwrap_or_default();
        let begins = STOCK_LABELS.iter().chain(&["rbac"]).any(|label| before.ends_with(label))
            || DOTTED.iter().chain(&["."]).any(|word| after.starts_with(word));
        let wild = c == '.' && (before.is_empty() || after.is_empty() || begins);
        clean.push(if wild { REPLACEMENT } else { c });
    }
    clean
}

/// These begin a label if a dot follows, wherever they are.
const STOCK_LABELS: [&str; 4] = ["wasm_filter", "tag", "component", "cache"];
/// These are a label if a dot precedes them: results of dry runs.
const DOTTED: [&str; 2] = ["istio_dry_run_", "shadow_"];
/// The replacement for what a value must not hold.
const REPLACEMENT: char = '_';

/// A change to one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The index of the series in `Common::series`.
    pub series: usize,
    /// What to add to a counter, record in a histogram, or set a gauge to.
    pub value: u64,
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{BuiltinTag, Kind, Label, LabelEncoding, Series};

    #[test]
    fn grammars() {
        let labels = [
            Label { name: "split", stock: BuiltinTag::Component, value: "stock.v1" },
            Label { name: "backend", stock: BuiltinTag::WasmFilter, value: "canary" },
            Label { name: "code_class", stock: BuiltinTag::CodeClass, value: "2xx" },
        ];
        let name =
            |encoding| Series::new(Kind::Counter, encoding, "narrows_split_requests_total", &labels).name;
        assert_eq!(
            &*name(LabelEncoding::StatTags),
            "split=.=stock.v1;.;backend=.=canary;.;code_class=.=2xx;.;narrows_split_requests_total"
        );
        assert_eq!(
            &*name(LabelEncoding::Stock),
            "component.stock_v1.wasm_filter.canary.narrows_split_requests_total_rq_2xx"
        );
    }

    #[test]
    fn a_value_cannot_begin_a_label() {
        let value = "a.component.evil.b.tag.x.rbac.allowed";
        let labels = [Label { name: "tenant", stock: BuiltinTag::Tag, value }];
        let name = |encoding| Series::new(Kind::Counter, encoding, "requests", &labels).name;
        assert_eq!(
            &*name(LabelEncoding::StatTags),
            "tenant=.=a.component_evil.b.tag_x.rbac_allowed;.;requests"
        );
        assert_eq!(&*name(LabelEncoding::Stock), "tag.a.component_evil.b.tag_x.rbac_allowed;.requests");
        for (value, clean) in [("a.", "a_"), (".a.b", "_a.b"), ("a...b", "a__.b"), (".", "_"), ("..", "__")] {
            let labels = [Label { name: "t", stock: BuiltinTag::Tag, value }];
            let name = Series::new(Kind::Counter, LabelEncoding::StatTags, "requests", &labels).name;
            assert_eq!(*name, *format!("t=.={clean};.;requests"));
        }
        for value in ["shadow_allowed", "istio_dry_run_allow_x"] {
            for stock in [BuiltinTag::Tag, BuiltinTag::Component] {
                let labels = [Label { name: "t", stock, value }];
                let name = Series::new(Kind::Counter, LabelEncoding::Stock, "requests", &labels).name;
                assert!(name.contains(&format!("._{value}")), "{name}");
            }
            let labels = [Label { name: "t", stock: BuiltinTag::Tag, value }];
            let name = Series::new(Kind::Counter, LabelEncoding::StatTags, "requests", &labels).name;
            assert_eq!(*name, *format!("t=.={value};.;requests"), "no dot stands before it");
        }
        let labels = [Label { name: "x", stock: BuiltinTag::WasmFilter, value: "my.stag" }];
        let name = Series::new(Kind::Counter, LabelEncoding::Stock, "requests", &labels).name;
        assert_eq!(&*name, "wasm_filter.my_stag_.requests");
    }
}
