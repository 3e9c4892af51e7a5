//! NRW635: a selector that no pod of the run has, although one nearly has it.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::gateways::labels;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::site::Site;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW635",
        title: "a selector that selects nothing",
        text: "The labels of a selector are those of pods, not the name of their Deployment. No pod of the files has
them, and one of the same namespace has nearly the same. Without workloads in the files nothing is
said. Write the labels of spec.template.metadata.labels.",
    },
    checks: &[Check::Run(check)],
};

/// The kinds that make pods, and where the labels of the pods are.
const WORKLOADS: [(&str, &str); 7] = [
    ("Deployment", "spec.template.metadata.labels"),
    ("StatefulSet", "spec.template.metadata.labels"),
    ("DaemonSet", "spec.template.metadata.labels"),
    ("ReplicaSet", "spec.template.metadata.labels"),
    ("Job", "spec.template.metadata.labels"),
    ("CronJob", "spec.jobTemplate.spec.template.metadata.labels"),
    ("Pod", "metadata.labels"),
];

type Labels<'n> = Vec<(&'n str, &'n str)>;

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut pods: BTreeMap<Option<&str>, Vec<(&str, Labels<'_>)>> = BTreeMap::new();
    for (kind, path) in WORKLOADS {
        for (_, workload) in run.other(kind) {
            let name = workload.text_at("metadata.name").unwrap_or_default();
            let namespace = workload.text_at("metadata.namespace");
            pods.entry(namespace).or_default().push((name, labels(workload.get(path))));
        }
    }
    for one in run.attached.iter().filter(|one| !one.is_root() && one.site != Site::Gateway) {
        let selector = labels(one.resource.get("spec.selector.matchLabels"));
        let Some(there) = pods.get(&one.namespace()).filter(|_| !selector.is_empty()) else { continue };
        if there.iter().any(|(_, pod)| selector.iter().all(|label| pod.contains(label))) {
            continue;
        }
        let near = there.iter().find_map(|(name, pod)| near(&selector, name, pod));
        findings.extend(near.map(|(wanted, has)| {
            let message = format!("no pod of these files has {wanted}: one has {has}");
            let at =
                one.resource.field("spec.selector").map_or_else(|| one.spec(), |(key, _)| key.at.clone());
            let help = "write the labels of the pods: spec.template.metadata.labels";
            (one.file, Finding::warning(&RULE.code, &at, "spec.selector", &message, help))
        }));
    }
}

/// The label that a pod nearly has, and the one that it has.
fn near(selector: &Labels<'_>, workload: &str, pod: &Labels<'_>) -> Option<(String, String)> {
    selector.iter().find_map(|(name, value)| {
        let (_, has) = pod.iter().find(|(other, _)| other == name)?;
        let is_near = *value != *has && (*value == workload || value.contains(has) || has.contains(value));
        is_near.then(|| (format!("{name}: {value}"), format!("{name}: {has}")))
    })
}
