//! NRW645: a ramp that is over, or that sends users back.

use narrows_core::{PolicyValue, moment};

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::splits;
use crate::source::{Node, Value};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW645",
        title: "a ramp that is over, or that goes down",
        text: "A step of a ramp holds from its moment on. If all steps are in the past, the last one holds as soon as
the policy is loaded: all its users move at once. That is meant where the ramp has ended, and then a
plain \"weight\" says it. It is not meant where a year or an offset is wrong. A step with a lower weight
than the one before sends users back to the baseline when its moment comes, without a push.",
    },
    checks: &[Check::Policy(check)],
};

fn check(filter: Filter, policy: &Node, findings: &mut Vec<Finding>) {
    for (split_at, split) in splits::of(filter, policy) {
        let backends = split.get("backends").map(Node::elements).unwrap_or_default();
        for (j, backend) in backends.iter().enumerate() {
            let steps = backend.get("ramp.steps").map(Node::elements).unwrap_or_default();
            let place = format!("{split_at}.backends[{j}].ramp.steps");
            ramp(steps, &place, narrows_model::now(), findings);
        }
    }
}

fn ramp(steps: &[Node], place: &str, now: u64, findings: &mut Vec<Finding>) {
    let read: Vec<_> = steps.iter().filter_map(|step| Some((step, Step::of(step)?))).collect();
    let last = read.last().filter(|(_, last)| last.at <= now && read.len() == steps.len());
    if let Some((node, step)) = last {
        let message =
            format!("all steps are in the past: the last, of weight {}, is at {}", step.weight, step.said);
        let help = format!("write \"weight\": {} in place of the ramp, or mend the moments", step.weight);
        let place = format!("{place}[{}]", steps.len() - 1);
        findings.push(Finding::warning(&RULE.code, &node.at, &place, &message, &help));
    }
    for (index, pair) in read.windows(2).enumerate() {
        let [(_, before), (node, step)] = pair else { continue };
        if step.weight < before.weight {
            let message = format!(
                "the weight goes down from {} to {} at {}: users are sent back then",
                before.weight, step.weight, step.said
            );
            let help = "leave the step out, unless the canary is to end by itself";
            let place = format!("{place}[{}]", index + 1);
            findings.push(Finding::warning(&RULE.code, &node.at, &place, &message, help));
        }
    }
}

/// A step as it is written.
struct Step {
    at: u64,
    weight: i64,
    /// Its moment as written, and in UTC.
    said: String,
}

impl Step {
    fn of(node: &Node) -> Option<Self> {
        let written = node.text_at("at")?;
        let at = moment::parse(written)?;
        let Value::Scalar(PolicyValue::Integer(weight)) = node.get("weight")?.value else { return None };
        let utc = moment::utc(at);
        let said = if utc == written { utc } else { format!("{written} ({utc})") };
        Some(Self { at, weight, said })
    }
}
