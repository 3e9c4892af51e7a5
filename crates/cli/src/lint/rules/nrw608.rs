//! NRW608: a failure strategy that breaks what the filter promises.

use crate::code::Code;
use crate::finding::Finding;
use crate::istio::Release;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::source::{Node, Value};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW608",
        title: "failure strategy",
        text: "The failure strategy says what happens to traffic when the filter cannot run. The default,
FAIL_CLOSE, refuses all of it: right for egress-policy, an outage for the other filters. FAIL_RELOAD
(from Istio 1.27) restarts a filter that crashed; while a module cannot be fetched it refuses
traffic, like FAIL_CLOSE.",
    },
    checks: &[Check::Resource(check)],
};

/// The releases that `failStrategy` and `FAIL_RELOAD` came with.
const FAIL_STRATEGY: Release = Release::minor(19);
const FAIL_RELOAD: Release = Release::minor(27);

fn check(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = manifest.plugin.as_ref().filter(|_| manifest.release >= FAIL_STRATEGY) else { return };
    let Some(filter) = plugin.filter else { return };
    let (place, written) = (plugin.place("failStrategy"), plugin.get("failStrategy"));
    let fails_open = filter.attachment().fails_open;
    if let Some(node) = written.filter(|node| node.text() == Some("FAIL_OPEN") && !fails_open) {
        let message = format!("every call may leave while {} cannot run", filter.name());
        let help = "write FAIL_RELOAD from Istio 1.27 on, else FAIL_CLOSE";
        findings.push(Finding::warning(&RULE.code, &node.at, &place, &message, help));
    }
    let table = plugin.field.filter(|(_, node): &(_, &Node)| matches!(node.value, Value::Table(_)));
    if let Some((key, _)) = table.filter(|_| written.is_none() && fails_open) {
        let strategy = if manifest.release >= FAIL_RELOAD { "FAIL_RELOAD" } else { "FAIL_OPEN" };
        let message = "by default a filter that cannot run refuses all traffic";
        let help = format!("write \"failStrategy: {strategy}\"");
        findings.push(Finding::warning(&RULE.code, &key.at, &place, message, &help));
    }
}
