//! NRW606: a resource that attaches to no proxy, or to a proxy that was not meant.

use crate::code::Code;
use crate::finding::Finding;
use crate::istio::TARGETS;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW606",
        title: "attached to nothing, or not to what was meant",
        text: "\"selector\" chooses sidecars and classic gateways; \"targetRefs\" chooses gateways of Gateway API
and waypoints. If both are there, the selector is ignored.",
    },
    checks: &[Check::Resource(two_choices), Check::Resource(targets), Check::Resource(gateway)],
};

/// The most targets of one resource.
const MAX_TARGETS: usize = 16;

fn two_choices(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.plugin.is_none() || manifest.resource.get("spec.targetRefs").is_none() {
        return;
    }
    if let Some((selector, _)) = manifest.resource.field("spec.selector") {
        findings.push(Finding::error(
            &RULE.code,
            &selector.at,
            "spec.selector",
            "the selector is ignored because there are \"targetRefs\"",
            "keep the selector for sidecars and classic gateways, \"targetRefs\" for Gateway API and waypoints",
        ));
    }
}

fn targets(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.plugin.is_none() {
        return;
    }
    let targets = manifest.targets();
    if let Some(node) = targets.get(MAX_TARGETS) {
        let message = format!("{} targets, more than {MAX_TARGETS}", targets.len());
        let help = "write several resources";
        findings.push(Finding::error(&RULE.code, &node.head(), "spec.targetRefs", &message, help));
    }
    for (i, reference) in targets.iter().enumerate() {
        let place = format!("spec.targetRefs[{i}]");
        let faults = target(manifest, reference);
        findings.extend(
            faults
                .into_iter()
                .map(|(node, message, help)| Finding::error(&RULE.code, &node.at, &place, &message, &help)),
        );
    }
}

/// The faults of a target: where, what, and what to do.
fn target<'n>(manifest: &Manifest<'_>, target: &'n Node) -> Vec<(&'n Node, String, String)> {
    let Some((kind, node)) = target.get("kind").and_then(|node| Some((node.text()?, node))) else {
        return Vec::new();
    };
    let Some((_, group)) = TARGETS.iter().find(|(known, _)| *known == kind) else {
        let known = TARGETS.map(|(kind, _)| kind).join(", ");
        return vec![(node, format!("a filter cannot attach to a {kind}"), format!("write one of {known}"))];
    };
    let mut faults = Vec::new();
    if let Some(written) = target.get("group")
        && !(written.text() == Some(*group) || (group.is_empty() && written.text() == Some("core")))
    {
        faults.push((written, format!("a {kind} is not in that API group"), format!("write {group:?}")));
    }
    if kind == "GatewayClass" {
        if let Some(name) = target.get("name").filter(|name| name.text() != Some("istio-waypoint")) {
            let message = "the only GatewayClass that can be a target is istio-waypoint";
            faults.push((name, message.to_owned(), "write \"istio-waypoint\"".to_owned()));
        }
        let root = manifest.run.options.root();
        if manifest.namespace().is_some_and(|namespace| namespace != root) {
            let message = "a GatewayClass can be a target only of a resource in the root namespace";
            faults.push((node, message.to_owned(), format!("move the resource to {root}")));
        }
    }
    if let Some(namespace) = target.get("namespace").filter(|namespace| namespace.text() != Some("")) {
        let message = "a target is always in the namespace of the resource";
        faults.push((namespace, message.to_owned(), "leave it out".to_owned()));
    }
    faults
}

fn gateway(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.plugin.is_none() || manifest.is_for_known_gateway() {
        return;
    }
    let Some((gateway, label)) = manifest.stock_gateway() else { return };
    if label.text() != Some(gateway) {
        let place = "spec.selector.matchLabels.istio";
        let message = format!("no stock gateway has the label istio: {}", label.text().unwrap_or_default());
        let help = format!("write {gateway:?}");
        findings.push(Finding::warning(&RULE.code, &label.at, place, &message, &help));
    }
    let root = manifest.run.options.root();
    let namespace = manifest.resource.get("metadata.namespace").and_then(|node| Some((node.text()?, node)));
    if let Some((namespace, node)) = namespace.filter(|(name, _)| *name != root && !is_for_gateways(name)) {
        findings.push(Finding::warning(
            &RULE.code,
            &node.at,
            "metadata.namespace",
            &format!("the stock {gateway} is in {root}, and a resource attaches only within its namespace"),
            &format!("write {root}, unless {namespace} has a gateway of yours with this label"),
        ));
    }
}

/// Whether a namespace is called as one for gateways: Istio's charts suggest such a one.
fn is_for_gateways(namespace: &str) -> bool {
    ["istio", "gateway", "ingress", "egress"].iter().any(|word| namespace.contains(word))
}
