//! Lint rules.

use super::chain::Chain;
use super::manifest::Manifest;
use super::run::Run;
use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::Node;

/// A rule: its code, with the text that `narrows explain` prints for it, and its checks.
pub(super) struct Rule {
    pub(super) code: Code,
    /// Empty if the fault is found elsewhere: by the check of fields, or by a filter that reads its
    /// policy.
    pub(super) checks: &'static [Check],
}

/// A check, by what it looks at.
pub(super) enum Check {
    /// A resource, as a release of Istio reads it.
    Resource(fn(&Manifest<'_>, &mut Vec<Finding>)),
    /// A policy that loads, wherever it was found.
    Policy(fn(Filter, &Node, &mut Vec<Finding>)),
    /// The HTTP filters of an Envoy listener, in their order.
    Chain(fn(&Chain, &mut Vec<Finding>)),
    /// The files that are applied together; each finding comes with the number of its file.
    Run(fn(&Run<'_>, &mut Vec<(usize, Finding)>)),
}
