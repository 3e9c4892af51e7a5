//! NRW613: policies on one proxy that deny each other's calls.

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW613",
        title: "policies that deny each other's calls",
        text: "Two egress-policy plugins on one proxy both check every call. A call that one of them does not
list is denied by its default. Put the rules into one policy, or give each a gateway of its own.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for (i, later) in run.attached.iter().enumerate().filter(|(_, later)| denies(later)) {
        let mut others = run.meetings.before(i, &run.attached);
        let Some(rival) = others.find(|earlier| denies(earlier)) else { continue };
        let (_, name) = rival.name();
        let message =
            format!("{name:?} checks the same calls: one that only one of the two allows is denied");
        let help = "put the rules into one policy, or give each a gateway of its own";
        let finding = Finding::warning(&RULE.code, &later.spec(), "spec", &message, help);
        findings.push((later.file, finding));
    }
}

/// Whether it denies calls that it does not list.
fn denies(attached: &Attached<'_>) -> bool {
    let policy = attached.policy();
    let is = |field, word| policy.and_then(|policy| policy.text_at(field)) == Some(word);
    attached.filter == Filter::EgressPolicy && is("default", "deny") && !is("mode", "report")
}
