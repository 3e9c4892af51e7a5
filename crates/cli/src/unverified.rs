//! Where a proxy lets in callers whose certificates it could not verify, beside policies that
//! believe what certificates say.

use narrows_core::Tree;

use crate::code;
use crate::finding::{Finding, Level};
use crate::source::{Node, Value};
use crate::wrap::Kind;

/// The fields by which a policy names callers.
const CALLERS: [&str; 7] = [
    "principals",
    "notPrincipals",
    "namespaces",
    "notNamespaces",
    "workloads",
    "principal",
    "sourcePrincipal",
];

/// A field that lets unverified callers in, and the words of it.
const OPENINGS: [(&str, &str); 3] = [
    // Envoy.
    ("trust_chain_verification", "ACCEPT_UNTRUSTED"),
    // Gateway API.
    ("mode", "AllowInsecureFallback"),
    // Istio's Gateway; elsewhere the field speaks of servers.
    (GATEWAYS, "true"),
];
const GATEWAYS: &str = "insecureSkipVerify";

/// Whether a policy names callers by certificates that need not have been verified.
pub(crate) fn believes(policy: &Node) -> bool {
    policy.text_at("callers") != Some("verified")
        && policy.text_at("mode") != Some("off")
        && any(policy, &|name, value| CALLERS.contains(&name) && !is_flag(value, false))
}

/// The places of a resource that let unverified callers in.
pub(crate) fn openings(resource: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    look(resource, Kind::of(resource), &mut found);
    found
}

fn look(node: &Node, kind: Kind, found: &mut Vec<Finding>) {
    // What a proxy thinks of the servers that it calls is another matter.
    if node.text_at("@type").is_some_and(|name| name.ends_with(".UpstreamTlsContext")) {
        return;
    }
    for (key, value) in node.fields() {
        let is = |(field, word): &&(&str, &str)| {
            key.name == *field && (value.text() == Some(*word) || (*word == "true" && is_flag(value, true)))
        };
        let speaks = |(field, _): &&(&str, &str)| *field != GATEWAYS || kind == Kind::Gateway;
        if let Some((field, word)) = OPENINGS.iter().filter(speaks).find(is) {
            found.push(Finding {
                code: code::UNVERIFIED,
                level: Level::Warning,
                at: value.at.clone(),
                place: String::new(),
                message: format!(
                    "{field}: {word} lets in certificates that nobody verified, and a policy here names callers by them"
                ),
                help: "write \"callers\": \"verified\" in the policy and turn session resumption off; or \
                       let every certificate be verified"
                    .to_owned(),
            });
        }
        look(value, kind, found);
    }
    node.elements().iter().for_each(|element| look(element, kind, found));
}

fn any(node: &Node, holds: &dyn Fn(&str, &Node) -> bool) -> bool {
    node.fields().iter().any(|(key, value)| holds(&key.name, value) || any(value, holds))
        || node.elements().iter().any(|element| any(element, holds))
}

fn is_flag(node: &Node, flag: bool) -> bool {
    matches!(&node.value, Value::Scalar(Tree::Flag(written)) if *written == flag)
}
