//! What the filters themselves find in their policies.

use narrows_core::{Weight, vm};

use super::rules;
use crate::documents::{self, Found, Kind};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::Node;
use crate::write::json;

/// What a policy weighs, and what is wrong with it and with the VM configuration beside it.
pub(super) fn check(found: &Found, option: Option<Filter>) -> (Weight, Vec<Finding>) {
    // The command line names the filter of a bare policy; a resource names its own.
    let filter = if found.within == Kind::Policy { option.or(found.filter) } else { found.filter };
    let Some(filter) = filter else {
        return (Weight::default(), vec![documents::unknown_filter(&found.policy)]);
    };
    let mut findings = Vec::new();
    if let Some(vm) = &found.vm
        && let Err(invalid) = vm::strict(json::line(&vm.tree()).as_bytes())
    {
        findings.extend(invalid.faults().iter().map(|fault| vm.finding(fault)));
    }
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => {
            let warning = policy.warning();
            findings.extend(warning.map(|warning| likely_not_meant(filter, warning, &found.policy)));
            (policy.weight(), findings)
        }
        Err(invalid) => {
            findings.extend(invalid.faults().iter().map(|fault| found.policy.finding(fault)));
            (Weight::default(), findings)
        }
    }
}

/// The finding for a warning of a filter, which has no code of its own.
fn likely_not_meant(filter: Filter, warning: &str, policy: &Node) -> Finding {
    let (code, help) = match filter {
        Filter::EgressPolicy => (
            rules::EVERYTHING_PASSES,
            "write \"default\": \"deny\" and rules; or \"mode\": \"off\" if it should do nothing",
        ),
        Filter::CanarySplit => {
            (rules::NO_EFFECT, "add \"key\", or \"onMissingKey\": \"random\" if users may change backends")
        }
        Filter::HeaderRouter | Filter::MetricTags => (rules::NO_EFFECT, "remove what has no effect"),
    };
    Finding::warning(code, &policy.head(), "", warning, help)
}
