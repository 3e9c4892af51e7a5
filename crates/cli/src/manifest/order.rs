//! The order of filters on one proxy, and policies that do not go together on it.

use std::cmp::Reverse;

use narrows_core::Tree;

use super::attach::ROOT;
use super::warning;
use crate::code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::{Node, Value};
use crate::wrap::Kind;

/// Istio's phases as they run; without one a filter comes after all of them.
const PHASES: [&str; 3] = ["AUTHN", "AUTHZ", "STATS"];

/// A filter, attached.
struct Attached<'n> {
    file: usize,
    resource: &'n Node,
    filter: Filter,
}

/// Earlier runs first: the phase, then higher priorities.
type Position = (usize, Reverse<i64>);

/// Filters that run on the same proxies in the wrong order, or in one that nobody wrote
/// down: within a phase higher priorities come first, a missing one is the lowest of all,
/// and between equals the older resource wins. And policies that refuse each other's calls.
///
/// Each resource, and each finding, with the number of its file.
pub fn order(resources: &[(usize, &Node)]) -> Vec<(usize, Finding)> {
    let attached: Vec<Attached<'_>> = resources
        .iter()
        .filter_map(|(file, resource)| Some(Attached { file: *file, resource, filter: filter(resource)? }))
        .collect();
    let mut findings = Vec::new();
    for (i, later) in attached.iter().enumerate() {
        let others = || attached.iter().take(i).filter(|earlier| earlier.meets(later));
        let pair = others().find_map(|earlier| later.beside(earlier));
        let alone = || Filter::ALL.into_iter().find_map(|other| later.among(other));
        findings.extend(pair.or_else(alone).map(|finding| (later.file, finding)));
        let rival = others().find(|earlier| earlier.refuses(later));
        findings.extend(rival.map(|rival| (later.file, later.twice(rival))));
    }
    findings
}

impl Attached<'_> {
    /// What is wrong with the order of two that are there.
    fn beside(&self, earlier: &Self) -> Option<Finding> {
        if self.filter == earlier.filter {
            return None;
        }
        if self.position() == earlier.position() {
            let (second, first) = (self.filter.name(), earlier.filter.name());
            let message = format!("nothing says whether {second} runs before {first}");
            return Some(self.finding(code::ORDER, &message, "give each a priority: higher runs first"));
        }
        let inverted = (self.position() < earlier.position()) != (meant(self.filter) < meant(earlier.filter));
        inverted.then(|| self.misplaced("runs", earlier.filter))
    }

    /// What is wrong with the place of one, once another filter is where it belongs.
    fn among(&self, other: Filter) -> Option<Finding> {
        // Before authentication a router may feed it; only on the way out is it judged first.
        let way_out = self.resource.text_at("spec.selector.matchLabels.istio") == Some("egressgateway");
        if other == self.filter
            || (self.filter == Filter::HeaderRouter && other == Filter::EgressPolicy && !way_out)
        {
            return None;
        }
        let inverted = (self.position() < meant(other)) != (meant(self.filter) < meant(other));
        inverted.then(|| self.misplaced("would run", other))
    }

    fn misplaced(&self, runs: &str, other: Filter) -> Finding {
        let own = self.filter.attachment();
        let (does, belongs) =
            if meant(self.filter) < meant(other) { ("behind", "before") } else { ("before", "behind") };
        let message =
            format!("{} {runs} {does} {}, and belongs {belongs} it", self.filter.name(), other.name());
        self.finding(
            code::MISPLACED,
            &message,
            &format!("write phase {} and priority {}", own.phase, own.priority),
        )
    }

    fn finding(&self, code: &'static str, message: &str, help: &str) -> Finding {
        let written = ["spec.priority", "spec.phase"].into_iter().find_map(|place| {
            let (_, value) = self.resource.field(place)?;
            Some((place, value.at.clone()))
        });
        let (place, at) = written.unwrap_or_else(|| ("spec.priority", self.spec()));
        warning(code, &at, place, message, help)
    }

    fn spec(&self) -> std::ops::Range<usize> {
        self.resource.field("spec").map_or_else(|| self.resource.head(), |(key, _)| key.at.clone())
    }

    fn position(&self) -> Position {
        let phase = self.resource.text_at("spec.phase").unwrap_or_default();
        let priority = match self.resource.get("spec.priority").map(|node| &node.value) {
            Some(Value::Scalar(Tree::Integer(priority))) => *priority,
            _ => i64::MIN,
        };
        position(phase, priority)
    }

    /// Whether there may be a proxy that both run on: the one chooses all that the other
    /// does. Two resources of one name are two versions of one.
    fn meets(&self, other: &Self) -> bool {
        self.name() != other.name()
            && self.tree("spec.targetRefs") == other.tree("spec.targetRefs")
            && (self.covers(other) || other.covers(self))
    }

    fn covers(&self, other: &Self) -> bool {
        let namespace = self.resource.text_at("metadata.namespace");
        let labels = |attached: &Self| match attached.tree("spec.selector.matchLabels") {
            Some(Tree::Table(labels)) => labels,
            _ => Vec::new(),
        };
        let (own, others) = (labels(self), labels(other));
        (namespace == Some(ROOT) || namespace == other.resource.text_at("metadata.namespace"))
            && own.iter().all(|label| others.contains(label))
    }

    /// Whether two policies judge the same calls, and each denies what it does not know.
    fn refuses(&self, other: &Self) -> bool {
        [self, other].iter().all(|attached| {
            let policy = attached.policy();
            let says = |field, word| policy.and_then(|policy| policy.text_at(field)) == Some(word);
            attached.filter == Filter::EgressPolicy && says("default", "deny") && !says("mode", "report")
        })
    }

    fn twice(&self, rival: &Self) -> Finding {
        let (_, name) = rival.name();
        let message = format!("{name:?} judges the same calls: what only one of the two allows is denied");
        let help = "put the rules into one policy, or give each a gateway of its own";
        warning(code::TWICE, &self.spec(), "spec", &message, help)
    }

    fn name(&self) -> (Option<&str>, &str) {
        let text = |place| self.resource.text_at(place);
        (text("metadata.namespace"), text("metadata.name").unwrap_or_default())
    }

    fn policy(&self) -> Option<&Node> {
        self.resource.get("spec.pluginConfig").or_else(|| self.resource.get("spec.wasm.pluginConfig"))
    }

    fn tree(&self, place: &str) -> Option<Tree> {
        self.resource.get(place).map(Node::tree)
    }
}

/// Where a filter belongs.
fn meant(filter: Filter) -> Position {
    let own = filter.attachment();
    position(own.phase, own.priority.into())
}

fn position(phase: &str, priority: i64) -> Position {
    let phase = PHASES.iter().position(|known| *known == phase).unwrap_or(PHASES.len());
    (phase, Reverse(priority))
}

fn filter(resource: &Node) -> Option<Filter> {
    let url = match Kind::of(resource) {
        Kind::WasmPlugin => resource.text_at("spec.url"),
        Kind::TrafficExtension => resource.text_at("spec.wasm.url"),
        _ => None,
    };
    url.and_then(Filter::of_module)
}
