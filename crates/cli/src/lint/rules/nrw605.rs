//! NRW605: an address or digest of a module that cannot work.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::manifest::{Manifest, Plugin};
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW605",
        title: "the module cannot be fetched or verified",
        text: "A module comes from oci:// (the default), https://, http:// or file:// inside the container of the
proxy. The \"sha256\" of an image is the digest of its manifest, not of the module in it; for http it
is the digest of the module.",
    },
    checks: &[Check::Resource(url), Check::Resource(sha256)],
};

/// The text before every digest in an image's address.
const DIGEST: &str = "@sha256:";
const NO_DIGEST: &str = "the digest does not have 64 lower-case hex digits";
const WRITE_OCI: &str = "write oci://registry/repository:tag";

fn url(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let Some((url, node)) = plugin.get("url").and_then(|node| Some((node.text()?, node))) else { return };
    let (scheme, rest) = url.split_once("://").unwrap_or(("oci", url));
    let fault = match scheme {
        _ if url.is_empty() => None,
        _ if !is_url(url) => Some((format!("{url:?} is no address"), WRITE_OCI)),
        "oci" | "http" | "https" if rest.is_empty() || rest.starts_with('/') => {
            Some((format!("{url:?} has no host"), WRITE_OCI))
        }
        "oci" => match rest.split_once(DIGEST) {
            Some((_, digest)) if !is_digest(digest) => Some((NO_DIGEST.to_owned(), "copy all of it")),
            // Istio would ask Docker Hub for its image of that name.
            _ if !rest.contains('/') && plugin.filter.is_some() => {
                Some((format!("{url:?} has no repository"), WRITE_OCI))
            }
            _ => None,
        },
        "http" | "https" => None,
        "file" if rest.starts_with('/') => None,
        "file" => {
            let message = "the address of a file needs an absolute path in the container of the proxy";
            Some((message.to_owned(), "write file:///path/to/module.wasm"))
        }
        other => Some((
            format!("Istio cannot fetch a module from {other:?}"),
            "write oci://, https://, http:// or file://",
        )),
    };
    findings.extend(fault.map(|(message, help)| error(plugin, "url", node, &message, help)));
}

/// Whether a text can be an address at all: nothing in it that an address would have to escape.
fn is_url(text: &str) -> bool {
    let is_escaped = |rest: &str| rest.len() >= 2 && rest.chars().take(2).all(|c| c.is_ascii_hexdigit());
    !text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c))
        && text.split('%').skip(1).all(is_escaped)
}

fn sha256(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &manifest.plugin else { return };
    let Some((digest, node)) = plugin.get("sha256").and_then(|node| Some((node.text()?, node))) else {
        return;
    };
    let url = plugin.get("url").and_then(Node::text).unwrap_or_default();
    if !digest.is_empty() && !is_digest(digest) {
        let help =
            "write the digest of the image's manifest (oci) or of the module (http) without \"sha256:\"";
        findings.push(error(plugin, "sha256", node, NO_DIGEST, help));
    } else if url.split_once(DIGEST).is_some_and(|(_, in_url)| in_url != digest) && !url.starts_with("file:")
    {
        let message = "the digest differs from the one in the url";
        findings.push(error(plugin, "sha256", node, message, "write one of them"));
    }
}

fn error(plugin: &Plugin<'_>, field: &str, node: &Node, message: &str, help: &str) -> Finding {
    Finding::error(&RULE.code, &node.at, &plugin.place(field), message, help)
}

/// Whether a text is a SHA-256 digest in hex.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
