//! Series that appear and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::filter::AnyPolicy;
use crate::source::Node;

/// The names of series that only one of two policies counts in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesDiff {
    /// Of the new one.
    pub appear: Vec<String>,
    /// Of the old one.
    pub go: Vec<String>,
}

/// Compares the series that are known before a request comes, and the metrics whose series come with
/// requests: such a metric is written with its tags, `requests_total{backend, code}`.
pub fn series(old: (&AnyPolicy, &Node), new: (&AnyPolicy, &Node)) -> SeriesDiff {
    let (before, after) = (names(old), names(new));
    SeriesDiff {
        appear: after.difference(&before).cloned().collect(),
        go: before.difference(&after).cloned().collect(),
    }
}

fn names((policy, written): (&AnyPolicy, &Node)) -> BTreeSet<String> {
    let fixed = policy.series().iter().map(|series| series.name.to_string());
    let tags = written.get("tags").filter(|tags| tags.get("metrics").is_some()).unwrap_or(written);
    let metrics = tags.get("metrics").map(Node::elements).unwrap_or_default();
    let coming = metrics.iter().filter_map(|metric| {
        let tags = metric.get("tags").map(Node::elements).unwrap_or_default();
        let tags: Vec<&str> = tags.iter().filter_map(Node::text).collect();
        Some(format!("{}{{{}}}", metric.text_at("name")?, tags.join(", ")))
    });
    fixed.chain(coming).collect()
}

impl SeriesDiff {
    /// The same as data.
    pub fn json(&self) -> Value {
        json!({ "appear": self.appear, "go": self.go })
    }
}
