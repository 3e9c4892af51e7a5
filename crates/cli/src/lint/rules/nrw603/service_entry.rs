//! What Istio's validation says of a `ServiceEntry` beside the types of its fields.

use std::collections::BTreeSet;

use narrows_core::PolicyValue;

use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::manifest::Manifest;
use crate::source::Node;

pub(super) fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.kind != Kind::ServiceEntry {
        return;
    }
    let resource = manifest.resource;
    let mut add = |node: &Node, place: &str, message: &str, help: &str| {
        findings.push(Finding::error(&super::RULE.code, &node.head(), place, message, help));
    };
    for (i, host) in
        manifest.list("spec.hosts").iter().enumerate().filter(|(_, host)| host.text() == Some("*"))
    {
        let message = "the host of a ServiceEntry cannot be \"*\"";
        add(host, &format!("spec.hosts[{i}]"), message, "name the hosts, perhaps as \"*.example.com\"");
    }
    let resolution = resource.text_at("spec.resolution").unwrap_or("NONE");
    let is_range = |address: &&Node| address.text().is_some_and(|address| address.contains('/'));
    let range = manifest.list("spec.addresses").iter().find(is_range);
    if let Some(range) = range.filter(|_| !["NONE", "STATIC"].contains(&resolution)) {
        let message = format!("an address block needs resolution NONE or STATIC, not {resolution}");
        add(range, "spec.addresses", &message, "write single addresses, or another resolution");
    }
    if let Some(endpoints) = resource.get("spec.endpoints") {
        if resource.get("spec.workloadSelector").is_some() {
            let message = "\"endpoints\" and \"workloadSelector\" exclude each other";
            add(endpoints, "spec.endpoints", message, "keep one of them");
        }
        let count = endpoints.elements().len();
        if resolution == "NONE" {
            let message = "with resolution NONE, which is the default, there are no endpoints";
            add(endpoints, "spec.endpoints", message, "write \"resolution: STATIC\" or DNS");
        } else if resolution == "DNS_ROUND_ROBIN" && count > 1 {
            let message = format!("with resolution DNS_ROUND_ROBIN there is one endpoint, not {count}");
            add(endpoints, "spec.endpoints", &message, "keep one, or write \"resolution: DNS\"");
        }
    }
    for (field, what) in [("name", "name"), ("number", "number")] {
        let mut seen = BTreeSet::new();
        for (i, port) in manifest.list("spec.ports").iter().enumerate() {
            let Some(node) = port.get(field) else { continue };
            let written = match node.tree() {
                PolicyValue::Text(text) => text,
                PolicyValue::Integer(number) => number.to_string(),
                _ => continue,
            };
            if !seen.insert(written) {
                let message = format!("two ports of one {what}");
                add(node, &format!("spec.ports[{i}].{field}"), &message, "give each its own");
            }
        }
    }
}
