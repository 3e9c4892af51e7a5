//! The configuration by which a proxy extracts labels from the names of series, and by which labels get
//! into Istio's own metrics.

use crate::language::policy_value::PolicyValue;
use crate::policy::series::{LabelEncoding, Series};
use crate::policy::{Policy, vm_config};

/// The labels in the names of a filter's series under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The labels that a series' name holds as themselves, each once.
    names: Vec<String>,
    /// Whether the policy writes the labels of Istio's bootstrap.
    is_stock: bool,
}

/// The name and expression that Istio's bootstrap has for each label of the `stock` encoding.
const STOCK: [(&str, &str); 6] = [
    ("wasm_filter", r"(wasm_filter\.(.+?)\.)"),
    ("tag", r"(tag\.(.+?);\.)"),
    ("component", r"(component\.(.+?)\.)"),
    ("cache", r"(cache\.(.+?)\.)"),
    ("response_code", r"_rq(_(\d{3}))$"),
    ("response_code_class", r"_rq(_(\dxx))$"),
];

impl Labels {
    /// The labels of every series that the filter may have under a policy. `written` is the same policy
    /// as it was written.
    pub fn of<P: Policy>(policy: &P, written: &PolicyValue) -> Self {
        // These series belong to no policy: even with stock labels their own labels are written.
        let rejected = vm_config::rejected_series(P::FILTER, LabelEncoding::StatTags);
        let in_force = vm_config::digest_series(P::FILTER, "", LabelEncoding::StatTags);
        let is_stock = vm_config::label_encoding(written) == LabelEncoding::Stock;
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        if !is_stock {
            policy.common().series.iter().flat_map(Series::labels).for_each(&mut add);
            policy.common().labels.iter().for_each(|name| add(name));
        }
        rejected.labels().chain(in_force.labels()).for_each(&mut add);
        Self { names, is_stock }
    }

    /// Envoy's `stats_config`. Istio's proxies know the stock labels; a plain Envoy needs them
    /// configured. Unlike Istio's, these expressions find a label only where a label can begin.
    pub fn stats_tags(&self) -> PolicyValue {
        let of = |name: &str, regex: &str| table([("tag_name", text(name)), ("regex", text(regex))]);
        let stock = STOCK.iter().filter(|_| self.is_stock).map(|(name, regex)| of(name, regex));
        let own = self.names.iter();
        let own = own.map(|name| of(name, &format!(r"^wasmcustom\.(?:.*;\.;)?({name}=\.=(.*?);\.;)")));
        table([("stats_config", table([("stats_tags", PolicyValue::List(stock.chain(own).collect()))]))])
    }

    /// The change to a workload by which its proxies extract these labels, and nobody else's: a patch of
    /// its pods' annotations. The pods start anew.
    pub fn pod_annotation(&self) -> PolicyValue {
        let annotation = ("sidecar.istio.io/extraStatTags", text(&self.names.join(",")));
        ["annotations", "metadata", "template", "spec"]
            .into_iter()
            .fold(table([annotation]), |inner, name| table([(name, inner)]))
    }

    /// The part of Istio's mesh configuration by which its proxies extract these labels. Proxies read
    /// it when they start.
    pub fn extra_stat_tags(&self) -> PolicyValue {
        let names = PolicyValue::List(self.names.iter().map(|name| text(name)).collect());
        table([("meshConfig", table([("defaultConfig", table([("extraStatTags", names)]))]))])
    }
}

/// The overrides of a `Telemetry` by which Istio's metrics carry what a policy publishes: labels, each
/// with its filter state. From 1.24 on, an expression names filter state in full; before that it had a
/// bare name. `which` selects the metrics: it is the fields of a `match`.
pub fn overrides(
    published: &[(String, String)],
    in_full: bool,
    which: Vec<(String, PolicyValue)>,
) -> PolicyValue {
    let value = |state: &str| {
        let value = if in_full { format!("filter_state[\"wasm.{state}\"]") } else { state.to_owned() };
        table([("value", PolicyValue::Text(value))])
    };
    let tags = published.iter().map(|(label, state)| (label.clone(), value(state))).collect();
    table([("match", PolicyValue::Table(which)), ("tagOverrides", PolicyValue::Table(tags))])
}

fn table<const N: usize>(fields: [(&str, PolicyValue); N]) -> PolicyValue {
    PolicyValue::Table(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text(text: &str) -> PolicyValue {
    PolicyValue::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Labels, overrides};
    use crate::filter::split::Splitter;
    use crate::filter::tags::Tagger;
    use crate::language::policy_value::PolicyValue;
    use crate::policy::Policy;

    fn labels<P: Policy>(policy: &str) -> (Vec<String>, String) {
        let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
        let labels = Labels::of(&P::compile(&tree).unwrap(), &tree);
        (labels.names.clone(), format!("{:?}", labels.stats_tags()))
    }

    #[test]
    fn every_label_of_every_series() {
        let split = r#"{"splits": [{"name": "s", "key": [{"header": "u"}],
            "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b", "weight": 1}]}]}"#;
        assert_eq!(labels::<Splitter>(split).0, ["split", "backend", "code_class", "filter", "plugin"]);
        let tags = r#"{"tags": {"tenant": {"header": "x"}, "op": {"pathTemplates": ["/a"]}, "unused": {"header": "y"}},
            "metrics": [{"name": "m", "tags": ["tenant", "op"]}]}"#;
        assert_eq!(labels::<Tagger>(tags).0, ["tag", "overflow", "tenant", "op", "filter", "plugin"]);
        let published = r#"{"tags": {"tenant": {"header": "x"}}, "publish": ["tenant"]}"#;
        assert_eq!(
            labels::<Tagger>(published).0,
            ["tag", "filter", "plugin"],
            "what is dropped is counted without metrics"
        );
        assert_eq!(labels::<Tagger>("{}").0, ["filter", "plugin"]);
    }

    #[test]
    fn stock_labels_are_told_to_a_plain_envoy_only() {
        let stock = r#"{"labels": "stock", "tags": {"x": {"header": "a", "stockLabel": "tag"}}, "metrics": [{"name": "m", "tags": ["x"]}]}"#;
        let (names, stats_tags) = labels::<Tagger>(stock);
        assert_eq!(names, ["filter", "plugin"], "gauges that no policy names");
        assert!(stats_tags.contains(r"(component\\.(.+?)\\.)"), "{stats_tags}");
        let own = labels::<Tagger>("{}").1;
        assert!(
            !own.contains("component") && own.contains(r"^wasmcustom\\.(?:.*;\\.;)?(filter=\\.=(.*?);\\.;)"),
            "{own}"
        );
    }

    #[test]
    fn expressions_of_both_spellings() {
        let published = [("op".to_owned(), "narrows_op".to_owned())];
        assert!(
            format!("{:?}", overrides(&published, true, Vec::new()))
                .contains(r#"filter_state[\"wasm.narrows_op\"]"#)
        );
        assert!(format!("{:?}", overrides(&published, false, Vec::new())).contains(r#"Text("narrows_op")"#));
    }
}
