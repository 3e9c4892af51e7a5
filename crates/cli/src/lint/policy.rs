//! The faults that the filters themselves find in their policies.

use narrows_core::limits::FAULTS;
use narrows_core::{Fault, vm_config};

use crate::code;
use crate::documents::{self, Found, Kind};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::Weighed;
use crate::source::Node;
use crate::write::json;

/// What a policy takes if it loads, and the faults in it and in the VM configuration beside it.
pub(super) fn check(found: &Found, option: Option<Filter>) -> (Option<Weighed>, Vec<Finding>) {
    // The command line names the filter of a bare policy; a resource names its own.
    let is_bare = matches!(found.within, Kind::Policy | Kind::Unknown);
    let filter = if is_bare { option.or(found.filter) } else { found.filter };
    let Some(filter) = filter else {
        return (None, vec![documents::unknown_filter(&found.policy)]);
    };
    let mut findings = Vec::new();
    if let Some(vm) = &found.vm
        && let Err(invalid) = vm_config::strict(json::line(&vm.tree()).as_bytes())
    {
        findings.extend(invalid.faults().iter().map(|fault| vm.finding(fault)));
    }
    match filter.compile(&found.policy.tree()) {
        Ok(policy) => {
            findings.extend(policy.warnings().iter().map(|warning| likely_not_meant(warning, &found.policy)));
            let start = found.policy.head().start;
            (Some(Weighed { start, filter, weight: policy.weight() }), findings)
        }
        Err(invalid) => {
            findings.extend(invalid.faults().iter().map(|fault| found.policy.finding(fault)));
            if let Some(last) = findings.last_mut().filter(|_| invalid.faults().len() >= FAULTS) {
                last.help.push_str(&format!("; more faults may follow: {FAULTS} of a policy are listed"));
            }
            (None, findings)
        }
    }
}

/// The finding for a probable mistake in the policy as a whole.
fn likely_not_meant(warning: &Fault, policy: &Node) -> Finding {
    Finding::warning(code::policy::of(warning.code), &policy.head(), "", &warning.message, &warning.help)
}
