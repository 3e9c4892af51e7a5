//! NRW655: a lane that nobody takes away from clients.

use narrows_core::names;

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::lanes::{self, is_mesh};
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW655",
        title: "a lane that clients may choose",
        text: "Under \"trust\": \"mesh\" traffic-lanes believes the lane that a request has. Nothing in the files that were
checked together takes the header away from what a client sends, so anybody outside could choose a lane. List it
under \"strip\" of the header-router at the gateway, which then assigns the lane by a rule. Lint the files of a
release together: narrows lint gateway.yaml lanes.yaml.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let policies = || {
        run.policies.iter().filter_map(|(file, found)| {
            let filter = found.filter.or(run.options.filter)?;
            Some((*file, filter, &found.policy))
        })
    };
    let mesh = policies().filter_map(|(file, filter, policy)| Some((file, lanes::of(filter, policy)?)));
    for (file, lane) in mesh.filter(|(_, lane)| lane.is_mesh) {
        let strips = policies().any(|(_, filter, policy)| {
            let compiled = filter.compile(&policy.tree()).ok();
            let compiled = compiled.filter(|_| !is_mesh(policy) && deed::acts(policy));
            let name = lane.name.to_ascii_lowercase();
            compiled.is_some_and(|compiled| {
                compiled.strips().iter().any(|pattern| names::covers(pattern.as_bytes(), name.as_bytes()))
            })
        });
        if !strips {
            let message = format!("no policy at the edge removes {:?} from what a client sends", lane.name);
            let help = format!(
                "write \"strip\": [{:?}] at the gateway, and lint its file together with this one",
                lane.name
            );
            findings.push((file, Finding::warning(&RULE.code, &lane.header.at, lane.place, &message, &help)));
        }
    }
}
