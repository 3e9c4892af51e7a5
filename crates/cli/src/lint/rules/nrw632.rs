//! NRW632: a rule or split that no request reaches.

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::reach;
use crate::lint::rule::{Check, Rule};
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW632",
        title: "no request reaches it",
        text: "The first rule that matches a request acts, and the first split takes it. If those before take
everything that this one matches, it never does anything. Put it before them, or make them narrower.
Of egress rules those that deny are judged among themselves, and so are those that allow.
A rule in report mode lets the search go on, so it takes nothing from a rule that acts; a split in
report mode does take its requests. Conditions that compare texts (exact, in, prefix, pathPrefix,
suffix, contains, present, hosts) are judged exactly, all others only if they are the same. In a very
large policy the last rules are not judged.",
    },
    checks: &[Check::Policy(check)],
};

fn check(filter: Filter, policy: &Node, findings: &mut Vec<Finding>) {
    for dead in reach::dead(filter, policy) {
        let names: Vec<_> = dead.by.iter().map(|name| format!("{name:?}")).collect();
        let (what, takes) = (dead.what, if names.len() == 1 { "takes" } else { "take" });
        let message = format!(
            "no request reaches the {what} {:?}: {} {takes} all that it matches",
            dead.name,
            names.join(", ")
        );
        let help = format!("put it before {}, or take it away", names.first().map_or("them", String::as_str));
        let at = dead.node.field("name").map_or_else(|| dead.node.head(), |(_, value)| value.at.clone());
        findings.push(Finding::warning(&RULE.code, &at, &dead.place, &message, &help));
    }
}
