//! `narrows`: all filters as one, with a policy that has a part for each.
//!
//! The parts decide one after the other, as filters in a chain do: each judges the request that those
//! before it left. What they have in common is done once: the headers are read, and everything that a
//! client must not set is removed before the first part reads them.

mod compile;
mod decide;
mod provenance;
#[cfg(test)]
mod tests;
mod working;

use crate::policy::Policy;
use crate::policy::common::Common;

pub use provenance::Provenance;
pub use working::Working;

/// Calls `$with!` with a line for each part, in the order in which they decide: its field, its policy,
/// what its host does beside deciding, and what the field means. A new part is a line here.
///
/// The router comes first, because it chooses where the request goes, and which lane it has. Lanes are
/// remembered as the router left them; a call that goes out gets its lane back before everything else
/// ([`Part::comes_first`](crate::Part::comes_first)). Splits divide what is left at its place. Tags see what
/// was decided. Egress judges the request as it leaves.
#[macro_export]
macro_rules! parts {
    ($with:ident) => {
        $with! {
            router: $crate::filter::router::Router, Plain =>
                "A policy of header-router: where requests go, and what their headers become.";
            lanes: $crate::filter::lanes::Lanes, Laned =>
                "A policy of traffic-lanes: how a lane is carried through the workload.";
            split: $crate::filter::split::Splitter, Guarded =>
                "A policy of canary-split: how the traffic to a service is divided.";
            tags: $crate::filter::tags::Tagger, Metered =>
                "A policy of metric-tags: what is counted, and by which labels.";
            egress: $crate::filter::egress::Egress, Outbound =>
                "A policy of egress-policy: which requests may leave.";
        }
    };
}

macro_rules! parts_of {
    ($($part:ident: $policy:ty, $beside:ident => $text:literal;)+) => {
        /// A compiled merged policy.
        #[derive(Clone, Debug)]
        pub struct Merged {
            common: Common,
            $(#[doc = $text] pub $part: Option<Box<$policy>>,)+
        }

        /// What the parts remember of a request; none for a part that did not decide.
        #[derive(Default)]
        pub struct Verdict {
            $(#[doc = $text] pub $part: Option<<$policy as Policy>::Verdict>,)+
        }
    };
}

parts!(parts_of);

impl Merged {
    /// What the parts must read and remove together. Its series are those of the parts, one after the
    /// other.
    pub fn shared(&self) -> &Common {
        &self.common
    }
}
