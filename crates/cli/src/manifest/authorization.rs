//! Filters on the wrong side of Istio's authorization.

use super::attached::Attached;
use crate::code;
use crate::finding::Finding;
use crate::placement::site::{Side, Site};
use crate::placement::{deed, stripping, strips_for_others};

/// What rewrites before authorization, what strips or restores behind it; each with the
/// number of its file. On a sidecar's outbound side nothing is authorized.
pub(super) fn check(attached: &[Attached<'_>]) -> Vec<(usize, Finding)> {
    let there = attached.iter().filter(|attached| attached.site.authorizes());
    there
        .flat_map(|one| {
            let found = if one.position().is_behind_authorization() {
                [one.restoring(), one.stripping(attached)]
            } else {
                [one.rewriting(), None]
            };
            found.into_iter().flatten().map(|finding| (one.file, finding))
        })
        .collect()
}

impl Attached<'_> {
    /// What rewrites before authorization.
    fn rewriting(&self) -> Option<Finding> {
        let policy = self.policy().filter(|_| self.deeds.rewrites)?;
        let deeds = deed::rewriting(self.filter, policy);
        let deed = deeds.iter().find(|deed| deed.acts)?;
        let what = if deed.host.is_some() { "host" } else { "path" };
        let message = format!(
            "{} runs before authorization: an AuthorizationPolicy judges that {what}, not the client's",
            deed.place
        );
        let slot = self.slot();
        let mut help = format!("write phase {} and priority {}", slot.phase, slot.priority);
        if !self.strips.is_empty() {
            help.push_str(&format!(", and strip in a plugin of phase {}: ", stripping(self.filter).phase));
            help.push_str("narrows render writes both");
        }
        help.push_str(self.or_outbound());
        Some(self.at(&["spec.phase"], code::BEFORE_AUTHORIZATION, &message, &help))
    }

    /// What brings a host back behind authorization.
    fn restoring(&self) -> Option<Finding> {
        self.policy().filter(|policy| self.deeds.restores && deed::acts(policy))?;
        let message =
            "\"restoreHost\" runs behind authorization: an AuthorizationPolicy judges the canary's host";
        let slot = self.slot();
        let help = format!("write phase {} and priority {}", slot.phase, slot.priority);
        Some(self.at(&["spec.phase"], code::BEHIND_AUTHORIZATION, message, &help))
    }

    /// What is stripped behind authorization, and by nobody before it.
    fn stripping(&self, all: &[Attached<'_>]) -> Option<Finding> {
        if !strips_for_others(self.filter) {
            return None;
        }
        let before: Vec<_> = all
            .iter()
            .filter(|other| !other.position().is_behind_authorization() && other.covers(self))
            .filter(|other| other.side == Side::Both || other.side == self.side)
            .collect();
        let left = self.strips.iter().find(|name| !before.iter().any(|other| other.takes_away(name)))?;
        let message = format!(
            "{left:?} is stripped behind authorization: an AuthorizationPolicy judges what the client wrote there"
        );
        let slot = stripping(self.filter);
        let help = format!(
            "strip in a plugin of its own before it, phase {} and priority {}: narrows render writes both{}",
            slot.phase,
            slot.priority,
            self.or_outbound()
        );
        Some(self.at(&["spec.phase"], code::BEHIND_AUTHORIZATION, &message, &help))
    }

    /// The other remedy, where nobody has said that it runs inbound.
    fn or_outbound(&self) -> &'static str {
        let unsaid = self.site == Site::Mixed && self.side == Side::Both;
        if unsaid { "; or say mode CLIENT, if it is for sidecars, outbound" } else { "" }
    }
}
