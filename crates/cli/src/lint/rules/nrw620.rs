//! NRW620: a proxy accepts callers whose certificates it did not verify, while a policy names callers
//! by their certificates.

use narrows_core::PolicyValue;

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::source::{Node, Value};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW620",
        title: "unverified callers",
        text:
            "With trust_chain_verification: ACCEPT_UNTRUSTED (Envoy), AllowInsecureFallback (Gateway API) or
insecureSkipVerify (Gateway of Istio) a proxy accepts a certificate that the caller signed itself.
\"principals\", \"namespaces\", keys and tags then see the name in it. With \"callers\": \"verified\" they
do not. Envoy reports a resumed session as unverified, so turn session resumption off on that
listener.",
    },
    checks: &[Check::Run(check)],
};

/// The fields in which a policy names callers.
const CALLERS: [&str; 7] = [
    "principals",
    "notPrincipals",
    "namespaces",
    "notNamespaces",
    "workloads",
    "principal",
    "sourcePrincipal",
];

/// Fields that accept unverified callers, each with the value that does so.
const OPENINGS: [(&str, &str); 3] = [
    // In Envoy.
    ("trust_chain_verification", "ACCEPT_UNTRUSTED"),
    // In Gateway API.
    ("mode", "AllowInsecureFallback"),
    // In Istio's Gateway; in other resources the field is about servers.
    (OF_GATEWAY, "true"),
];
const OF_GATEWAY: &str = "insecureSkipVerify";

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    if !run.policies.iter().any(|(_, found)| believes(&found.policy)) {
        return;
    }
    for (file, resource) in &run.resources {
        let kind = Kind::of(resource);
        if kind != Kind::Policy {
            openings(resource, kind, &mut |finding| findings.push((*file, finding)));
        }
    }
}

/// Whether a policy names callers by certificates that need not have been verified.
fn believes(policy: &Node) -> bool {
    policy.text_at("callers") != Some("verified")
        && policy.text_at("mode") != Some("off")
        && any(policy, &|name, value| CALLERS.contains(&name) && !is_flag(value, false))
}

/// The places in a resource that accept unverified callers.
fn openings(node: &Node, kind: Kind, add: &mut impl FnMut(Finding)) {
    // Whether a proxy verifies the servers that it calls does not matter here.
    if node.text_at("@type").is_some_and(|name| name.ends_with(".UpstreamTlsContext")) {
        return;
    }
    for (key, value) in node.fields() {
        let is = |(field, word): &&(&str, &str)| {
            key.name == *field && (value.text() == Some(*word) || (*word == "true" && is_flag(value, true)))
        };
        let is_of_kind = |(field, _): &&(&str, &str)| *field != OF_GATEWAY || kind == Kind::Gateway;
        if let Some((field, word)) = OPENINGS.iter().filter(is_of_kind).find(is) {
            let message = format!(
                "{field}: {word} accepts certificates that were not verified, and a policy here names callers by them"
            );
            let help = "write \"callers\": \"verified\" in the policy and turn session resumption off; or \
                        verify every certificate";
            add(Finding::warning(&RULE.code, &value.at, "", &message, help));
        }
        openings(value, kind, add);
    }
    node.elements().iter().for_each(|element| openings(element, kind, add));
}

fn any(node: &Node, holds: &dyn Fn(&str, &Node) -> bool) -> bool {
    node.fields().iter().any(|(key, value)| holds(&key.name, value))
        || node.children().any(|inner| any(inner, holds))
}

fn is_flag(node: &Node, flag: bool) -> bool {
    matches!(&node.value, Value::Scalar(PolicyValue::Flag(written)) if *written == flag)
}
