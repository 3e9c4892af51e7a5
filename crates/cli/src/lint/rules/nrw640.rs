//! NRW640: a module that never changes, or cannot be fetched.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::manifest::{Manifest, Plugin};
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW640",
        title: "a module that never changes, or cannot be fetched",
        text: "Istio keeps an image that it has fetched, and fetches it again only under imagePullPolicy: Always. A tag
that moves, such as latest or none at all, then stays what it was. A digest never changes, so Always
has no effect beside it. The pull secret is a Secret of type kubernetes.io/dockerconfigjson in the
namespace of the plugin. To roll out a new module, write a new tag or digest.",
    },
    checks: &[Check::Resource(image), Check::Resource(secret)],
};

const REMEDY: &str = "write the tag or the digest of one version, and a new one for the next";

fn image(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = manifest.plugin.as_ref().filter(|plugin| plugin.filter.is_some()) else { return };
    let Some((url, node)) = plugin.get("url").and_then(|node| Some((node.text()?, node))) else { return };
    let Some(image) = url.strip_prefix("oci://").or_else(|| (!url.contains("://")).then_some(url)) else {
        return;
    };
    let pull = plugin.get("imagePullPolicy");
    let is_always = pull.and_then(Node::text) == Some("Always");
    let is_pinned =
        image.contains('@') || plugin.get("sha256").and_then(Node::text).is_some_and(|hex| !hex.is_empty());
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split('@').next().unwrap_or_default().split_once(':').map(|(_, tag)| tag);
    let mut add = |node: &Node, field: &str, message: &str, help: &str| {
        findings.push(Finding::warning(&RULE.code, &node.at, &plugin.place(field), message, help));
    };
    match (pull, tag) {
        (Some(pull), _) if is_pinned && is_always => {
            let message = "Always has no effect beside a digest, which never changes";
            add(pull, "imagePullPolicy", message, "leave it out");
        }
        _ if is_pinned || is_always => {}
        (_, None) => {
            add(node, "url", "an image without a tag is fetched once, and then never changes", REMEDY);
        }
        (Some(pull), Some("latest")) => {
            add(pull, "imagePullPolicy", "\"latest\" is fetched once, and then never changes", REMEDY);
        }
        _ => {}
    }
}

fn secret(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let Some((name, node)) = plugin.get("imagePullSecret").and_then(|node| Some((node.text()?, node))) else {
        return;
    };
    let named: Vec<_> = manifest
        .run
        .other("Secret")
        .iter()
        .map(|(_, secret)| *secret)
        .filter(|secret| secret.text_at("metadata.name") == Some(name))
        .collect();
    let own = named.iter().find(|secret| secret.text_at("metadata.namespace") == manifest.namespace());
    let fault = match own {
        // Without a Secret of that name in the files, it may be in the cluster.
        None if named.is_empty() => return,
        None => format!("the Secret {name:?} is in another namespace than the plugin"),
        Some(secret) => match secret.text_at("type") {
            Some("kubernetes.io/dockerconfigjson") => return,
            other => format!(
                "the Secret {name:?} is of type {}, not kubernetes.io/dockerconfigjson",
                other.unwrap_or("Opaque")
            ),
        },
    };
    findings.push(report(plugin, node, &fault));
}

fn report(plugin: &Plugin<'_>, node: &Node, message: &str) -> Finding {
    let help = "make it there: kubectl create secret docker-registry";
    Finding::warning(&RULE.code, &node.at, &plugin.place("imagePullSecret"), message, help)
}
