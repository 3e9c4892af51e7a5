//! The lane of a policy as it is written: of traffic-lanes, alone or as a part of the merged plugin's.

use crate::filter::Filter;
use crate::source::Node;

/// What a policy says of its lane.
pub(super) struct Lane<'n> {
    /// Where the header is.
    pub(super) header: &'n Node,
    /// Its name.
    pub(super) name: &'n str,
    /// The place of the header in the policy.
    pub(super) place: &'static str,
    /// Whether lanes from outside are believed.
    pub(super) is_mesh: bool,
}

/// The lane of a policy that acts; none if it has none.
pub(super) fn of(filter: Filter, policy: &Node) -> Option<Lane<'_>> {
    let (part, place) = match filter {
        Filter::TrafficLanes => (policy, "lane.header"),
        Filter::Narrows => (policy.get("lanes")?, "lanes.lane.header"),
        _ => return None,
    };
    let is_off = |node: &Node| node.text_at("mode") == Some("off");
    let header = part.get("lane.header").filter(|_| !is_off(part) && !is_off(policy))?;
    Some(Lane { header, name: header.text()?, place, is_mesh: is_mesh(policy) })
}

/// Whether a policy believes its callers.
pub(super) fn is_mesh(policy: &Node) -> bool {
    policy.text_at("trust") == Some("mesh")
}
