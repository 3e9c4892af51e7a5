//! Where the module comes from, how it is proven, and what happens without it.

use narrows_core::vm_config;

use super::{Manifest, Release, fault, warning};
use crate::code;
use crate::finding::Finding;
use crate::source::{Node, Value};

/// What starts every digest of an image.
const DIGEST: &str = "@sha256:";

pub(super) fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let at = |name: &str| manifest.resource.get(&format!("{}.{name}", manifest.plugin));
    let place = |name: &str| format!("{}.{name}", manifest.plugin);
    if let Some(node) = at("url") {
        url(node, &place("url"), findings);
    }
    if let Some(node) = at("sha256") {
        let url = at("url").and_then(Node::text).unwrap_or_default();
        sha256(node, url, &place("sha256"), findings);
    }
    if let Some((key, _)) = manifest.resource.field(&place("verificationKey")) {
        findings.push(warning(
            code::NO_EFFECT,
            &key.at,
            &place("verificationKey"),
            "no release of Istio has ever read \"verificationKey\"",
            "leave it out, and pin the module with \"sha256\"",
        ));
    }
    if let Some(node) = at("type").filter(|node| node.text() == Some("NETWORK")) {
        findings.extend(manifest.filter.map(|filter| {
            let message = format!("{} reads requests, and a network filter sees none", filter.name());
            fault(code::NEVER_RUNS, &node.at, &place("type"), &message, "write \"HTTP\", or leave it out")
        }));
    }
    if let Some(node) = at("pluginName") {
        strictness(node, &place("pluginName"), findings);
    }
    environment(at("vmConfig.env"), &place("vmConfig.env"), findings);
    strategy(manifest, at("failStrategy"), &place("failStrategy"), findings);
}

fn url(node: &Node, place: &str, findings: &mut Vec<Finding>) {
    let Some(url) = node.text() else { return };
    let refuse = |message: String, help: &str| fault(code::MODULE, &node.at, place, &message, help);
    let (scheme, rest) = url.split_once("://").unwrap_or(("oci", url));
    match scheme {
        "oci" | "http" | "https" if rest.is_empty() || rest.starts_with('/') => {
            findings.push(refuse(format!("{url:?} names no host"), "write oci://registry/repository:tag"));
        }
        "oci" => {
            if let Some((_, digest)) = rest.split_once(DIGEST)
                && !is_digest(digest)
            {
                findings
                    .push(refuse("the digest is not 64 lower-case hex digits".to_owned(), "copy it whole"));
            } else if !rest.contains('/') {
                findings.push(refuse(
                    format!("{url:?} names no repository"),
                    "write oci://registry/repository:tag",
                ));
            }
        }
        "http" | "https" => {}
        "file" if rest.starts_with('/') => {}
        "file" => findings.push(refuse(
            "a file is named by its absolute path in the proxy's container".to_owned(),
            "write file:///path/to/module.wasm",
        )),
        other => findings.push(refuse(
            format!("Istio fetches nothing from {other:?}"),
            "write oci://, https://, http:// or file://",
        )),
    }
}

fn sha256(node: &Node, url: &str, place: &str, findings: &mut Vec<Finding>) {
    let Some(digest) = node.text() else { return };
    if !is_digest(digest) {
        findings.push(fault(
            code::MODULE,
            &node.at,
            place,
            "the digest is not 64 lower-case hex digits",
            "write the digest of the image's manifest (oci) or of the module (http) without \"sha256:\"",
        ));
    } else if url.starts_with("file:") {
        findings.push(warning(
            code::NO_EFFECT,
            &node.at,
            place,
            "Istio does not check the digest of a file",
            "leave it out, or fetch the module from a registry",
        ));
    } else if url.split_once(DIGEST).is_some_and(|(_, in_url)| in_url != digest) {
        findings.push(fault(
            code::MODULE,
            &node.at,
            place,
            "the digest differs from the one in the url",
            "write one of them",
        ));
    }
}

/// Whoever writes the word wants it to be read.
fn strictness(node: &Node, place: &str, findings: &mut Vec<Finding>) {
    let name = node.text().unwrap_or_default();
    if name.to_ascii_lowercase().contains("strict") && !vm_config::is_strict(name.as_bytes()) {
        findings.push(warning(
            code::NO_EFFECT,
            &node.at,
            place,
            &format!(
                "{name:?} asks for nothing: a filter is strict if the name ends in {:?}",
                vm_config::STRICT
            ),
            "write it at the end, in lower case and after a dot",
        ));
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn environment(env: Option<&Node>, place: &str, findings: &mut Vec<Finding>) {
    let elements = env.map(Node::elements).unwrap_or_default();
    for (i, variable) in elements.iter().enumerate() {
        let place = format!("{place}[{i}]");
        if let Some((key, _)) = variable.field("value")
            && variable.text_at("valueFrom") == Some("HOST")
        {
            let message = "a variable from the host has no \"value\" of its own";
            findings.push(fault(code::REFUSED, &key.at, &format!("{place}.value"), message, "leave it out"));
        }
        let name = variable.text_at("name");
        if let Some(node) = variable.get("name")
            && elements.iter().take(i).any(|earlier| earlier.text_at("name") == name)
        {
            let message = "the variable stands twice";
            findings.push(fault(code::REFUSED, &node.at, &format!("{place}.name"), message, "keep one"));
        }
    }
}

/// A filter that must not take traffic down has to say so, and so has one that must
/// not let it pass.
fn strategy(manifest: &Manifest<'_>, written: Option<&Node>, place: &str, findings: &mut Vec<Finding>) {
    let Some(filter) = manifest.filter.filter(|_| manifest.release >= Release::minor(19)) else { return };
    let opens = written.and_then(Node::text) == Some("FAIL_OPEN");
    if opens && !filter.attachment().fails_open {
        let at = written.map_or(0..0, |node| node.at.clone());
        let message = format!("without {} every call may leave", filter.name());
        let help = "write FAIL_RELOAD from Istio 1.27 on, else FAIL_CLOSE";
        findings.push(warning(code::FAIL_STRATEGY, &at, place, &message, help));
    }
    if written.is_none() && filter.attachment().fails_open {
        let plugin = manifest.resource.field(manifest.plugin);
        let Some((key, _)) = plugin.filter(|(_, node)| matches!(node.value, Value::Table(_))) else { return };
        let help = if manifest.release >= Release::minor(27) { "FAIL_RELOAD" } else { "FAIL_OPEN" };
        findings.push(warning(
            code::FAIL_STRATEGY,
            &key.at,
            place,
            "by default a filter that cannot run refuses all traffic",
            &format!("write \"failStrategy: {help}\""),
        ));
    }
}
