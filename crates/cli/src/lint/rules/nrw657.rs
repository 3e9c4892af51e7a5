//! NRW657: lanes on a listener that says no direction.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::chain::Chain;
use crate::lint::lanes;
use crate::lint::rule::{Check, Rule};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW657",
        title: "lanes on a listener without a direction",
        text: "traffic-lanes remembers what comes in on a listener with traffic_direction: INBOUND, and restores lanes on one
with OUTBOUND. On a listener that says neither it does nothing. Istio writes the direction itself; in Envoy's own
configuration it is a field of the listener.",
    },
    checks: &[Check::Chain(check)],
};

fn check(chain: &Chain, findings: &mut Vec<Finding>) {
    if chain.has_direction {
        return;
    }
    for (_, own) in chain.own() {
        let Some(lane) = lanes::of(own.filter, &own.policy).filter(|lane| lane.is_mesh) else { continue };
        let message = "the listener has no traffic_direction: no lane is remembered or restored";
        let help = "write traffic_direction: INBOUND or OUTBOUND at the listener";
        findings.push(Finding::warning(&RULE.code, &lane.header.at, lane.place, message, help));
    }
}
