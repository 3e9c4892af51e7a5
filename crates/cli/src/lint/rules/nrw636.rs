//! NRW636: two Telemetry resources where Istio reads one.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::source::Node;
use crate::write::json;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW636",
        title: "two Telemetry resources where Istio reads one",
        text: "Istio reads one Telemetry for the mesh, one for a namespace and one for a workload: the oldest. Another
one for the same proxies has no effect, and no status says so. Write the metrics, providers and
logs of both into one resource.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut seen: BTreeMap<(Option<&str>, String), &str> = BTreeMap::new();
    for (file, resource) in run.of(Kind::Telemetry) {
        let name = resource.text_at("metadata.name").unwrap_or_default();
        let namespace = resource.text_at("metadata.namespace");
        // Two of one name are one.
        let other = keys(resource).into_iter().find_map(|key| {
            let first = *seen.entry((namespace, key)).or_insert(name);
            (first != name).then_some(first)
        });
        let Some(other) = other else { continue };
        let message =
            format!("Istio reads one Telemetry for these proxies, {name:?} or {other:?}: the older one");
        let at = resource.field("spec").map_or_else(|| resource.head(), |(key, _)| key.at.clone());
        let finding = Finding::warning(&RULE.code, &at, "spec", &message, "write both into one resource");
        findings.push((*file, finding));
    }
}

/// What a Telemetry is for: all of its namespace, labels, or each of its targets.
fn keys(resource: &Node) -> Vec<String> {
    let targets = resource.get("spec.targetRefs").map(Node::elements).unwrap_or_default();
    let targets = targets.iter().chain(resource.get("spec.targetRef"));
    let targets: Vec<_> = targets
        .map(|target| {
            let text = |field| target.text_at(field).unwrap_or_default();
            format!("target {} {}", text("kind"), text("name"))
        })
        .collect();
    if !targets.is_empty() {
        return targets;
    }
    let labels = resource.get("spec.selector.matchLabels").map(Node::fields).unwrap_or_default();
    let mut labels: Vec<_> =
        labels.iter().map(|(key, value)| format!("{} {}", key.name, json::line(&value.tree()))).collect();
    labels.sort();
    vec![format!("labels {}", labels.join(","))]
}
