//! NRW646: a rollback that cannot do what it seems to.

use narrows_core::PolicyValue;

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::splits;
use crate::source::Node;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW646",
        title: "a rollback that cannot do what it seems to",
        text: "A rollback compares the users of a canary with those of the baseline, of one split, in one proxy. It
counts nothing in a split that only reports, and nothing while all its classes are off. Where the
weights leave the baseline no users, there is nothing to compare with. Where the key is that of a
program (\"principal\", \"host\") there are few users, and about a dozen of the canary's must fail before
it acts. A canary that comes back after a \"hold\" with a time has the weight that it had: its ramp
stands still until a push.",
    },
    checks: &[Check::Policy(check)],
};

/// The classes of faults, with what holds where one is not written.
const CLASSES: [(&str, &str); 3] = [("errors", "report"), ("latency", "report"), ("clientErrors", "off")];

fn check(filter: Filter, policy: &Node, findings: &mut Vec<Finding>) {
    for (split_at, split) in splits::of(filter, policy) {
        let Some(rollback) = split.get("rollback") else { continue };
        let modes = [policy, split].map(|node| node.text_at("mode"));
        let vain = all_off(rollback).or_else(|| only_reports(rollback, modes));
        let found = match vain {
            Some(found) => vec![found],
            None => [nobody_left(split, rollback), programs(split, rollback), stands_still(split, rollback)]
                .into_iter()
                .flatten()
                .collect(),
        };
        for Found { node, field, message, help } in found {
            let place = format!("{split_at}.{field}");
            findings.push(Finding::warning(&RULE.code, &node.at, &place, &message, help));
        }
    }
}

struct Found<'n> {
    node: &'n Node,
    field: String,
    message: String,
    help: &'static str,
}

impl<'n> Found<'n> {
    fn new(node: &'n Node, field: &str, message: impl Into<String>, help: &'static str) -> Self {
        Self { node, field: field.to_owned(), message: message.into(), help }
    }
}

/// The first class that switches a canary off.
fn enforced(rollback: &Node) -> Option<(&'static str, &Node)> {
    let enforces = |(name, _): &(&str, &str)| rollback.text_at(name) == Some("enforce");
    let (name, _) = CLASSES.into_iter().find(enforces)?;
    Some((name, rollback.get(name)?))
}

fn all_off(rollback: &Node) -> Option<Found<'_>> {
    let is_off = |(name, absent): (&str, &str)| rollback.text_at(name).unwrap_or(absent) == "off";
    let help = "leave the rollback out, or write \"report\" for one of them";
    CLASSES
        .into_iter()
        .all(is_off)
        .then(|| Found::new(rollback, "rollback", "all its classes are off: it counts nothing", help))
}

fn only_reports<'n>(rollback: &'n Node, modes: [Option<&str>; 2]) -> Option<Found<'n>> {
    let mode = modes.into_iter().flatten().find(|mode| ["report", "off"].contains(mode))?;
    let (name, node) = enforced(rollback)?;
    let message =
        format!("the split is in mode {mode:?}: its rollback counts nothing, and switches nothing off");
    Some(Found::new(
        node,
        &format!("rollback.{name}"),
        message,
        "write \"mode\": \"enforce\" when it is to act",
    ))
}

/// Weights that give all users away. A ramp may do so at its end, when the canary has been judged.
fn nobody_left<'n>(split: &'n Node, rollback: &'n Node) -> Option<Found<'n>> {
    let number = |node: &Node, name: &str| match node.get(name).map(Node::tree) {
        Some(PolicyValue::Integer(number)) => Some(number),
        _ => None,
    };
    let weights = split.get("backends").map(Node::elements).unwrap_or_default();
    let given: i64 =
        weights.iter().filter_map(|backend| number(backend, "weight")).fold(0, i64::saturating_add);
    let message = "the weights leave the baseline no users: there is nothing to compare a canary with";
    let help = "leave the baseline a part, such as 10 of 100, as long as a canary is to be judged";
    (given >= number(split, "weightTotal").unwrap_or(100))
        .then(|| Found::new(rollback, "rollback", message, help))
}

/// A key that tells programs apart and not users.
fn programs<'n>(split: &'n Node, rollback: &'n Node) -> Option<Found<'n>> {
    fn is_program(source: &Node) -> bool {
        let parts = source.get("all").map(Node::elements).unwrap_or_default();
        source.get("principal").is_some()
            || source.get("host").is_some()
            || (!parts.is_empty() && parts.iter().all(is_program))
    }
    let keys = split.get("key")?;
    let are_programs = !keys.elements().is_empty() && keys.elements().iter().all(is_program);
    (are_programs && split.get("anonymousId").is_none() && enforced(rollback).is_some()).then(|| {
        let message =
            "the key is that of programs, which are few: a rollback acts when about a dozen have failed";
        Found::new(
            keys,
            "key",
            message,
            "add a source that tells users apart, or set an alert on the error rate",
        )
    })
}

fn stands_still<'n>(split: &'n Node, rollback: &'n Node) -> Option<Found<'n>> {
    let hold = rollback.get("hold").filter(|hold| hold.text() != Some("until-push"))?;
    let backends = split.get("backends").map(Node::elements).unwrap_or_default();
    let ramped = backends.iter().find(|backend| backend.get("ramp").is_some())?;
    enforced(rollback)?;
    let message = format!(
        "after this time {} has the weight that it had when it was switched off: its ramp stands still until a push",
        ramped.text_at("name").map_or_else(|| "a backend".to_owned(), |name| format!("{name:?}")),
    );
    Some(Found::new(
        hold,
        "rollback.hold",
        message,
        "leave it out: then a push decides, as it does for the ramp",
    ))
}
