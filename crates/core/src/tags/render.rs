//! What a proxy must be told so that the labels of a policy come out of its names.

use super::Tagger;
use crate::extraction::{STOCK, stat_tag};
use crate::series::Grammar;

impl Tagger {
    /// The labels that a proxy must cut out of this policy's names; none with stock
    /// labels, which Istio's bootstrap knows.
    pub fn label_names(&self) -> Vec<&str> {
        if self.head.labels == Grammar::Stock || self.metrics.is_empty() {
            return Vec::new();
        }
        let counted = |place: usize| self.metrics.iter().any(|metric| metric.tags.contains(&place));
        let tags =
            self.tags.iter().enumerate().filter(|(place, _)| counted(*place)).map(|(_, tag)| &*tag.name);
        let dropped = self.tags.iter().any(|tag| tag.bound.values > 0).then_some("tag");
        let mut names: Vec<&str> = tags.chain([super::OVERFLOW]).chain(dropped).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The `stats_config` of a plain Envoy's bootstrap, as YAML. `use_all_default_tags`
    /// stays on, so Envoy's own series keep their labels.
    pub fn stats_tags(&self) -> String {
        let mut text = "stats_config:\n  stats_tags:\n".to_owned();
        let mut tag = |name: &str, regex: &str| {
            text.push_str(&format!("  - tag_name: {name}\n    regex: '{regex}'\n"));
        };
        if self.head.labels == Grammar::Stock {
            for (name, regex) in STOCK {
                tag(name, regex);
            }
        }
        for name in self.label_names() {
            tag(name, &stat_tag(name));
        }
        text
    }

    /// The part of Istio's mesh configuration (or of a pod's `proxy.istio.io/config`)
    /// that makes its proxies cut out this policy's labels, as YAML. Empty with stock
    /// labels.
    pub fn extra_stat_tags(&self) -> String {
        let names = self.label_names();
        if names.is_empty() {
            return String::new();
        }
        let list: String = names.iter().map(|name| format!("    - {name}\n")).collect();
        format!("meshConfig:\n  defaultConfig:\n    extraStatTags:\n{list}")
    }

    /// The tags that are published, each with its filter state.
    pub fn published(&self) -> Vec<(&str, &str)> {
        self.tags.iter().filter_map(|tag| Some((&*tag.name, tag.state.as_deref()?))).collect()
    }

    /// Istio's `Telemetry` that gives its own metrics the published tags, as YAML.
    /// Empty if nothing is published. For Istio 1.24 and later; up to 1.23 a value is
    /// the bare name.
    pub fn telemetry(&self, name: &str, namespace: &str) -> String {
        let published = self.published();
        if published.is_empty() {
            return String::new();
        }
        let overrides: String = published
            .iter()
            .map(|(tag, state)| format!("        {tag}:\n          value: filter_state[\"wasm.{state}\"]\n"))
            .collect();
        format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata:\n  name: {name}\n  namespace: {namespace}\n\
             spec:\n  metrics:\n  - providers:\n    - name: prometheus\n    overrides:\n    - match:\n        metric: ALL_METRICS\n\
             \x20     tagOverrides:\n{overrides}"
        )
    }
}
