//! NRW656: lanes beside a workload that believe nobody.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::lanes;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::site::Site;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW656",
        title: "lanes that nobody remembers",
        text: "Under \"trust\": \"edge\", which is the default, traffic-lanes removes the lane from what comes in and remembers
nothing: that is for gateways. Beside a workload write \"trust\": \"mesh\". And at a gateway under \"mesh\", or
at a waypoint, there is no workload whose calls could get a lane back.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for attached in &run.attached {
        let Some(lane) = attached.policy().and_then(|policy| lanes::of(attached.filter, policy)) else {
            continue;
        };
        let is_beside = !matches!(attached.site, Site::Gateway | Site::Waypoint);
        let (message, help) = match (is_beside, lane.is_mesh) {
            (true, false) => (
                "under trust edge lanes are removed beside a workload, and none is remembered",
                "write \"trust\": \"mesh\", or attach it to a gateway",
            ),
            (false, true) => (
                "there is no workload beside this proxy: nothing is remembered",
                "write \"trust\": \"edge\", or attach it to the sidecars of workloads",
            ),
            _ => continue,
        };
        let finding = Finding::warning(&RULE.code, &lane.header.at, lane.place, message, help);
        findings.push((attached.file, finding));
    }
}
