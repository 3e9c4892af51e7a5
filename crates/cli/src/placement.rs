//! Where a policy belongs among Istio's filters: on which side of authorization, and in which order.
//!
//! Istio's phases surround two filters of its own: `AUTHN` runs before authentication, `AUTHZ` runs
//! between authentication and authorization (Envoy's RBAC filter), and `STATS` runs after both. If a
//! path or host is rewritten before authorization, authorization does not see what the client sent. If
//! a header is stripped only after authorization, authorization sees the client's value. `CUSTOM`
//! authorization runs before all phases, and nothing that a filter does affects it.

pub mod deed;
pub mod part;
pub mod site;

use std::cmp::Reverse;

use crate::filter::Filter;
use crate::source::Node;
use site::Site;

/// Istio's phases in the order in which they run. A filter without a phase runs after all of them.
const PHASES: [&str; 3] = ["AUTHN", "AUTHZ", "STATS"];
/// The first phase after authorization.
const BEHIND: usize = 2;

/// A place in the order of a proxy's filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Istio's phase.
    pub phase: &'static str,
    /// The priority within it: higher runs first.
    pub priority: i32,
}

/// A place as a resource writes it. Earlier runs first: the phase, then higher priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    phase: usize,
    priority: Reverse<i64>,
}

/// The parts of a policy that matter to authorization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// It writes another path or host than the one that the client sent.
    pub rewrites: bool,
    /// It restores a host that a caller's sidecar has rewritten.
    pub restores: bool,
    /// It has no rule and no split: all that it can do is strip.
    pub only_strips: bool,
}

impl Deeds {
    /// The deeds of a policy as written.
    pub fn of(filter: Filter, policy: &Node) -> Self {
        let split = if filter == Filter::Narrows { policy.get("split") } else { Some(policy) };
        let splits = matches!(filter, Filter::CanarySplit | Filter::Narrows);
        let restores = splits && split.is_some_and(|split| deed::is_on(split, "restoreHost"));
        let has_elements =
            deed::LISTS.iter().filter_map(|(list, _)| policy.get(list)).any(|l| !l.elements().is_empty());
        Self {
            rewrites: !restores && !deed::rewriting(policy).is_empty(),
            restores,
            only_strips: strips_for_others(filter) && filter != Filter::Narrows && !has_elements,
        }
    }

    /// The slot of a policy with these deeds on a proxy of that kind.
    pub fn slot(self, filter: Filter, site: Site) -> Slot {
        let own = filter.attachment();
        let own = Slot { phase: own.phase, priority: own.priority };
        if filter == Filter::TrafficLanes && site == Site::Outbound {
            // A call gets its lane back before anything is decided by it.
            return Slot { phase: "AUTHZ", priority: 400 };
        }
        if !site.authorizes() {
            return own;
        }
        if self.only_strips {
            stripping(filter)
        } else if self.restores {
            // Before everything that reads the host.
            Slot { phase: "AUTHZ", priority: 300 }
        } else if self.rewrites && filter == Filter::HeaderRouter {
            // After authorization, and before the filters that always were after it.
            Slot { phase: "STATS", priority: 300 }
        } else {
            own
        }
    }

    /// The rank among the filters of a proxy, in the order in which they should run. None for a policy
    /// that only strips, which disturbs no other filter.
    pub fn rank(self, filter: Filter, site: Site) -> Option<usize> {
        // The merged plugin is all filters: no other is beside it.
        if filter == Filter::Narrows {
            return None;
        }
        // The order of the table of filters; but what restores a host or a lane comes before all of them.
        let own = Filter::ALL.iter().position(|known| *known == filter)?.saturating_add(1);
        let is_early = self.restores || (filter == Filter::TrafficLanes && site == Site::Outbound);
        (!self.only_strips).then_some(if is_early { 0 } else { own })
    }
}

/// The slot of the part of a policy that only strips. It is before authentication, so that headers that
/// authentication writes from a token stay.
pub fn stripping(filter: Filter) -> Slot {
    // A merged policy is stripped for by a header-router.
    let is_router = matches!(filter, Filter::HeaderRouter | Filter::Narrows);
    Slot { phase: "AUTHN", priority: if is_router { 300 } else { 200 } }
}

impl Slot {
    /// The same as a resource writes it.
    pub fn position(self) -> Position {
        Position::new(self.phase, self.priority.into())
    }
}

impl Position {
    /// From a phase and a priority. A missing phase comes last, and so does a missing priority.
    pub fn new(phase: &str, priority: i64) -> Self {
        let phase = PHASES.iter().position(|known| *known == phase).unwrap_or(PHASES.len());
        Self { phase, priority: Reverse(priority) }
    }

    /// Whether it is behind all phases, because it has none.
    pub fn is_last(self) -> bool {
        self.phase >= PHASES.len()
    }

    /// Whether Istio's authorization has run by then.
    pub fn is_behind_authorization(self) -> bool {
        self.phase >= BEHIND
    }
}

/// Whether Istio has a phase of this name.
pub fn is_phase(name: &str) -> bool {
    PHASES.contains(&name)
}

/// Whether the headers that a filter strips matter to authorization. The other filters strip only what
/// is reserved for Narrows, and no `AuthorizationPolicy` uses that.
pub fn strips_for_others(filter: Filter) -> bool {
    matches!(filter, Filter::HeaderRouter | Filter::CanarySplit | Filter::Narrows)
}

#[cfg(test)]
mod tests {
    use super::{Deeds, Position};
    use crate::filter::Filter;
    use crate::placement::site::Site;

    /// The documented order: requests are routed, divided, counted, and decided on as they leave. Hosts
    /// are restored before anything reads them.
    #[test]
    fn slots_give_the_documented_order_everywhere() {
        let rewrites = Deeds { rewrites: true, ..Deeds::default() };
        let restores = Deeds { restores: true, ..Deeds::default() };
        for site in [Site::Outbound, Site::Inbound, Site::Gateway, Site::Waypoint, Site::Mixed] {
            for routes in [Deeds::default(), rewrites] {
                let mut chain = [
                    (Filter::HeaderRouter, routes),
                    (Filter::TrafficLanes, Deeds::default()),
                    (Filter::CanarySplit, rewrites),
                    (Filter::MetricTags, Deeds::default()),
                    (Filter::EgressPolicy, Deeds::default()),
                ];
                // Lanes are remembered as the router left them, and restored before it reads them.
                let is_outbound = site == Site::Outbound;
                if is_outbound {
                    chain.swap(0, 1);
                }
                let router = usize::from(is_outbound);
                let positions = chain.map(|(filter, deeds)| deeds.slot(filter, site).position());
                assert!(positions.is_sorted_by(|a, b| a < b), "{site:?} {routes:?}");
                let ranks = chain.map(|(filter, deeds)| deeds.rank(filter, site));
                assert!(ranks.is_sorted_by(|a, b| a < b));
                let behind = positions[router].is_behind_authorization();
                assert_eq!(behind, routes.rewrites && site.authorizes(), "{site:?}");
                let restored = restores.slot(Filter::CanarySplit, site).position();
                assert!(!site.authorizes() || restored < positions[router], "{site:?}");
                assert_eq!(restored.is_behind_authorization(), !site.authorizes(), "{site:?}");
            }
        }
    }

    #[test]
    fn no_phase_and_no_priority_come_last() {
        let slots = [("AUTHN", 1), ("AUTHZ", 2), ("STATS", 3), ("STATS", -1), ("STATS", i64::MIN), ("", 9)];
        assert!(slots.map(|(phase, priority)| Position::new(phase, priority)).is_sorted_by(|a, b| a < b));
    }
}
