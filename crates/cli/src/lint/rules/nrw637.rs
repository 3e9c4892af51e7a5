//! NRW637: one filter twice on a workload.

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::site::Side;
use crate::source::Node;
use crate::write::json;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW637",
        title: "one policy twice on a workload",
        text: "Both plugins run on every request: metrics count twice, and of two splits of one name the second sees
what the first has done, so the shares are false. It happens when a WasmPlugin stays beside the
TrafficExtension that replaces it, or when a plugin gets another name. Delete the old one with the
same apply.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for (i, later) in run.attached.iter().enumerate() {
        let mut others = run.meetings.before(i, &run.attached);
        let twice = others.find_map(|earlier| Some((earlier, both(later, earlier)?)));
        findings.extend(twice.map(|(earlier, what)| {
            let (_, name) = earlier.name();
            let there = run.place(earlier.file, earlier.resource.head().start);
            let message = format!("{name:?} on the same proxies has {what} too: both run on every request");
            let help = format!("keep one of them: the other one is at {there}");
            let finding = Finding::warning(&RULE.code, &later.spec(), "spec", &message, &help);
            (later.file, finding)
        }));
    }
}

/// What two plugins on one proxy both do.
fn both(later: &Attached<'_>, earlier: &Attached<'_>) -> Option<String> {
    let apart =
        matches!((later.side, earlier.side), (Side::Client, Side::Server) | (Side::Server, Side::Client));
    // Of two egress policies NRW613 says what is wrong.
    let is_egress = later.filter == Filter::EgressPolicy;
    if later.filter != earlier.filter || is_egress || apart || later.deeds != earlier.deeds {
        return None;
    }
    let (own, other) = (later.policy()?, earlier.policy()?);
    let is_off = |policy: &Node| policy.text_at("mode") == Some("off");
    if is_off(own) || is_off(other) {
        return None;
    }
    if json::line(&own.tree()) == json::line(&other.tree()) {
        return Some("this policy".to_owned());
    }
    let (list, what) = match later.filter {
        Filter::CanarySplit => ("splits", "split"),
        Filter::MetricTags => ("metrics", "metric"),
        _ => return None,
    };
    let names = |policy: &'_ Node| -> Vec<String> {
        let elements = policy.get(list).map(Node::elements).unwrap_or_default().iter();
        elements.filter_map(|element| element.text_at("name")).map(str::to_owned).collect()
    };
    let others = names(other);
    names(own).into_iter().find(|name| others.contains(name)).map(|name| format!("the {what} {name:?}"))
}
