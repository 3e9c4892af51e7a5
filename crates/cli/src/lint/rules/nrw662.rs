//! NRW662: a kind in another letter case.

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW662",
        title: "a kind in another letter case",
        text: "Kubernetes tells the letter case of a kind apart, so the API server refuses a Wasmplugin; and nothing in
the resource is checked here, because it is none that is known. Write the kind as its API does.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for (file, resource) in &run.resources {
        if let (Some(meant), Some((_, kind))) = (Kind::meant(resource), resource.field("kind")) {
            let message =
                "no API has a kind of this letter case: the resource is refused, and not checked here";
            let help = format!("write {meant}");
            findings.push((*file, Finding::warning(&RULE.code, &kind.at, "kind", message, &help)));
        }
    }
}
