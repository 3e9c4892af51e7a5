//! NRW601: something that the release of Istio does not have.

use crate::code::Code;
use crate::finding::Finding;
use crate::istio::Release;
use crate::lint::manifest::Manifest;
use crate::lint::rule::{Check, Rule};
use crate::lint::telemetry;

/// Fields, values and kinds are found by [`crate::lint::fields`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW601",
        title: "not in this release of Istio",
        text: "The field, value or kind came with a later release than the one that --istio names. The API server
drops such a field silently or refuses the resource, depending on how it is applied. If it is
dropped, the filter runs without it. `narrows render --istio` leaves out what a release does not have.",
    },
    checks: &[Check::Resource(filter_state)],
};

/// From this release on, a label is made from `filter_state["wasm.…"]`.
const STATE_BY_NAME: Release = Release::minor(24);

fn filter_state(manifest: &Manifest<'_>, findings: &mut Vec<Finding>) {
    if manifest.release >= STATE_BY_NAME {
        return;
    }
    for (place, value, node) in telemetry::values(manifest) {
        if value.contains("filter_state[") {
            let message = format!("before Istio {STATE_BY_NAME} filter state is read by its bare name");
            let help = "write the name alone, without filter_state[\"wasm.…\"]";
            findings.push(Finding::error(&RULE.code, &node.at, &place, &message, help));
        }
    }
}
