//! NRW611: a field that has no effect.

use narrows_core::vm_config;

use super::nrw605::is_digest;
use crate::code::policy;
use crate::finding::Finding;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

/// In policies, the filters find it themselves: see [`crate::lint::policy`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: policy::NO_EFFECT,
    checks: &[
        Check::Resource(verification_key),
        Check::Resource(digest_of_file),
        Check::Resource(strictness),
    ],
};

fn verification_key(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    if let Some((key, _)) = plugin.key("verificationKey") {
        findings.push(Finding::warning(
            &RULE.code,
            &key.at,
            &plugin.place("verificationKey"),
            "no release of Istio reads \"verificationKey\"",
            "leave it out, and pin the module with \"sha256\"",
        ));
    }
}

fn digest_of_file(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let url = plugin.get("url").and_then(Node::text).unwrap_or_default();
    let digest = plugin.get("sha256").filter(|node| node.text().is_some_and(is_digest));
    if let Some(node) = digest.filter(|_| url.starts_with("file:")) {
        findings.push(Finding::warning(
            &RULE.code,
            &node.at,
            &plugin.place("sha256"),
            "Istio does not check the digest of a file",
            "leave it out, or fetch the module from a registry",
        ));
    }
}

/// Finds a `pluginName` that looks as if it made the filter strict, but does not.
fn strictness(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let Some(node) = plugin.get("pluginName") else { return };
    let name = node.text().unwrap_or_default();
    if name.to_ascii_lowercase().contains("strict") && !vm_config::is_strict(name.as_bytes()) {
        let message = format!(
            "{name:?} does not make the filter strict: only a name that ends in {:?} does",
            vm_config::STRICT
        );
        findings.push(Finding::warning(
            &RULE.code,
            &node.at,
            &plugin.place("pluginName"),
            &message,
            "write it at the end, in lower case and after a dot",
        ));
    }
}
