//! Which rules and backends of a policy the cases show.

use std::collections::{BTreeMap, BTreeSet};

use narrows_core::PolicyValue;

use super::find::Suite;
use super::run::Outcome;

/// The rules and backends of one policy.
pub(super) struct Points {
    all: Vec<String>,
    shown: BTreeSet<String>,
}

impl Points {
    /// Those that no case shows.
    pub(super) fn missing(&self) -> Vec<&str> {
        self.all.iter().filter(|point| !self.shown.contains(*point)).map(String::as_str).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }
}

/// The coverage of each policy, by its place.
pub(super) fn of(results: &[(&Suite, Vec<Outcome>)]) -> Vec<(String, Points)> {
    let mut by_policy: BTreeMap<&str, Points> = BTreeMap::new();
    for (suite, outcomes) in results {
        let points = by_policy
            .entry(&suite.about)
            .or_insert_with(|| Points { all: points(&suite.policy), shown: BTreeSet::new() });
        points.shown.extend(outcomes.iter().flat_map(|outcome| shown(&outcome.decided)));
    }
    by_policy.into_iter().map(|(about, points)| (about.to_owned(), points)).collect()
}

/// Every rule and backend that a policy names: of its own, or of its parts.
fn points(policy: &PolicyValue) -> Vec<String> {
    let mut all = Vec::new();
    for part in
        ["router", "split", "egress"].into_iter().filter_map(|part| field(policy, part)).chain([policy])
    {
        all.extend(names(part, "rules").map(|(rule, _)| format!("rule {rule}")));
        for (split, written) in names(part, "splits") {
            all.extend(names(written, "backends").map(|(backend, _)| format!("backend {split}/{backend}")));
        }
    }
    all
}

fn names<'p>(policy: &'p PolicyValue, list: &str) -> impl Iterator<Item = (&'p str, &'p PolicyValue)> {
    let elements = match field(policy, list) {
        Some(PolicyValue::List(elements)) => elements.as_slice(),
        _ => &[],
    };
    elements.iter().filter_map(|element| match field(element, "name") {
        Some(PolicyValue::Text(name)) => Some((name.as_str(), element)),
        _ => None,
    })
}

fn field<'p>(policy: &'p PolicyValue, name: &str) -> Option<&'p PolicyValue> {
    match policy {
        PolicyValue::Table(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
        _ => None,
    }
}

/// What a decision shows. A merged policy tells it by the filter state that its parts write.
fn shown(decided: &[(String, Vec<u8>)]) -> Vec<String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let fact = |names: [&str; 2]| {
        decided.iter().find(|(name, _)| names.contains(&&**name)).map(|(_, value)| text(value))
    };
    let mut shown = Vec::new();
    for (name, value) in decided {
        match &**name {
            "rule" | "reported" | "trial" | "narrows_rule" => shown.push(format!("rule {}", text(value))),
            "egress" | "narrows_egress" => {
                let rules = text(value);
                let named = rules.split("; ").filter_map(|part| part.split_once('='));
                shown.extend(named.map(|(_, rule)| format!("rule {rule}")));
            }
            _ => {}
        }
    }
    if let (Some(split), Some(backend)) =
        (fact(["split", "narrows_split"]), fact(["backend", "narrows_backend"]))
    {
        shown.push(format!("backend {split}/{backend}"));
    }
    shown
}
