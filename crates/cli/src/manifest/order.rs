//! The order of filters on one proxy, and policies that do not go together on it.

use super::attached::Attached;
use super::warning;
use crate::code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::placement::Deeds;

/// Filters that run on the same proxies in the wrong order, or in one that nobody wrote
/// down: within a phase higher priorities come first, a missing one is the lowest of all,
/// and between equals the older resource wins. And policies that refuse each other's calls.
///
/// Each finding with the number of its file.
pub(super) fn check(attached: &[Attached<'_>]) -> Vec<(usize, Finding)> {
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
        let (own, other) = (self.deeds.rank(self.filter)?, earlier.deeds.rank(earlier.filter)?);
        if self.filter == earlier.filter {
            return None;
        }
        if self.position() == earlier.position() {
            let (second, first) = (self.filter.name(), earlier.filter.name());
            let message = format!("nothing says whether {second} runs before {first}");
            return Some(self.finding(code::ORDER, &message, "give each a priority: higher runs first"));
        }
        let inverted = (self.position() < earlier.position()) != (own < other);
        inverted.then(|| self.misplaced("runs", own < other, earlier.filter))
    }

    /// What is wrong with the place of one, once another filter is where it belongs.
    fn among(&self, other: Filter) -> Option<Finding> {
        let (own, others) = (self.deeds.rank(self.filter)?, Deeds::default().rank(other)?);
        // What restores hosts comes before all others wherever authorization lets it.
        if other == self.filter || self.deeds.restores {
            return None;
        }
        let meant = Deeds::default().slot(other, self.site).position();
        let inverted = (self.position() < meant) != (own < others);
        inverted.then(|| self.misplaced("would run", own < others, other))
    }

    fn misplaced(&self, runs: &str, first: bool, other: Filter) -> Finding {
        let (does, belongs) = if first { ("behind", "before") } else { ("before", "behind") };
        let message =
            format!("{} {runs} {does} {}, and belongs {belongs} it", self.filter.name(), other.name());
        let slot = self.slot();
        let help = format!("write phase {} and priority {}", slot.phase, slot.priority);
        self.finding(code::MISPLACED, &message, &help)
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
}
