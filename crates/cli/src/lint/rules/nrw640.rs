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
that moves, such as latest, 1, main or none at all, then stays what it was, and a new pod fetches
another module than the one beside it has. A digest never changes, so Always has no effect beside it:
narrows pack prints it, and narrows render --digest writes it. The pull secret is a Secret of type kubernetes.io/dockerconfigjson in the
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
        (_, Some(tag)) if tag != "latest" && can_move(tag) => {
            let message = format!("the tag {tag:?} can move, and each proxy keeps what it was at first");
            add(node, "url", &message, REMEDY);
        }
        _ => {}
    }
}

/// Whether a tag is not by its form one version: three numbers, a commit or a date are.
fn can_move(tag: &str) -> bool {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let mut parts = version.splitn(3, '.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let is_version = parts.next().is_some_and(is_number)
        && parts.next().is_some_and(is_number)
        && parts.next().is_some_and(begins);
    let is_commit = |part: &str| part.len() >= 7 && part.bytes().all(|b| b.is_ascii_hexdigit());
    !is_version && !tag.split(['-', '_', '.']).any(is_commit)
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

#[cfg(test)]
mod tests {
    use super::can_move;

    #[test]
    fn some_tags_are_one_version() {
        for tag in ["0.1.0", "v1.2.3", "1.2.3-rc.1", "main-4fcf676", "20261129", "release_1.2-a65e477"] {
            assert!(!can_move(tag), "{tag}");
        }
        for tag in ["1", "1.2", "v1", "main", "stable", "1.2.x", "dev-1", "feature", "", "1..2"] {
            assert!(can_move(tag), "{tag}");
        }
    }
}
