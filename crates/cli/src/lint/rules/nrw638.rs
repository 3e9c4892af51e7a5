//! NRW638: a policy that protects, and requests that pass without it.

use crate::code::Code;
use crate::finding::Finding;
use crate::istio::Release;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW638",
        title: "a policy that protects fails open",
        text: "With FAIL_OPEN requests pass while the filter cannot run. Then nothing is stripped: a client's own
x-internal-user reaches the application. And nothing is answered: what a rule refuses with 403 passes.
FAIL_RELOAD (from Istio 1.27) restarts a filter that crashed, and FAIL_CLOSE refuses all requests
meanwhile. If an outage is worse, accept the finding with a comment.",
    },
    checks: &[Check::Resource(check)],
};

/// From this release on there is something better.
const FAIL_RELOAD: Release = Release::minor(27);

fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = manifest.plugin.as_ref().filter(|_| manifest.release >= FAIL_RELOAD) else { return };
    let Some(filter) = plugin.filter.filter(|filter| filter.attachment().fails_open) else { return };
    let Some(node) = plugin.get("failStrategy").filter(|node| node.text() == Some("FAIL_OPEN")) else {
        return;
    };
    let Some(policy) = plugin.get("pluginConfig") else { return };
    let router = policy.get("router").unwrap_or(policy);
    let strips = |policy: &Node| policy.get("strip").is_some_and(|names| !names.elements().is_empty());
    let rules = router.get("rules").map(Node::elements).unwrap_or_default();
    let what = if strips(policy) || strips(router) {
        "nothing is stripped"
    } else if rules.iter().any(|rule| rule.get("respond").is_some()) {
        "what it refuses passes"
    } else {
        return;
    };
    let message = format!("while {} cannot run, {what}", filter.name());
    let help = "write FAIL_RELOAD, or FAIL_CLOSE";
    findings.push(Finding::warning(&RULE.code, &node.at, &plugin.place("failStrategy"), &message, help));
}
