//! NRW633: the same resource twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::documents::Kind;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW633",
        title: "the same resource twice",
        text: "Two resources of one kind, namespace and name are one resource: whichever is applied last replaces
the other. Two files are compared only if they are in one folder and the resource attaches a filter of
Narrows: other folders may be for other clusters, and a folder may hold alternatives. Give one of
them another name, or take one away.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let own: BTreeSet<_> = run.attached.iter().map(|one| std::ptr::from_ref(one.resource)).collect();
    let mut seen = BTreeMap::new();
    for (file, resource) in &run.resources {
        let kind = Kind::of(resource);
        let name = resource.get("metadata.name").and_then(|node| Some((node.text()?, node)));
        let is_checked = !matches!(kind, Kind::Other | Kind::Unknown | Kind::Policy);
        let Some((name, node)) = name.filter(|_| is_checked) else { continue };
        let written = resource.text_at("kind").unwrap_or_default();
        let key = (run.folder(*file), written, resource.text_at("metadata.namespace"), name);
        let is_own = own.contains(&std::ptr::from_ref(*resource));
        if let Some(first) = seen.insert(key, *file).filter(|first| first == file || is_own) {
            let place = if first == *file { "above".to_owned() } else { format!("in {:?}", run.path(first)) };
            let message =
                format!("the {written} {name:?} is {place} already: the last one that is applied stays");
            let help = "give one of them another name, or take one away";
            findings.push((*file, Finding::warning(&RULE.code, &node.at, "metadata.name", &message, help)));
        }
    }
}
