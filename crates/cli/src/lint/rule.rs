//! What a lint rule is.

use super::chain::Chain;
use super::manifest::Manifest;
use super::run::Run;
use crate::code::Code;
use crate::finding::Finding;

/// A rule: its code, with what `narrows explain` prints of it, and how it is checked.
pub(super) struct Rule {
    pub(super) code: Code,
    /// None if others find it: the check of fields, or a filter that reads its policy.
    pub(super) checks: &'static [Check],
}

/// How a rule is checked, by what it looks at.
pub(super) enum Check {
    /// A resource, as a release of Istio reads it.
    Resource(fn(&Manifest<'_>, &mut Vec<Finding>)),
    /// The HTTP filters of an Envoy listener, in their order.
    Chain(fn(&Chain, &mut Vec<Finding>)),
    /// The files that are applied together; each finding with the number of its file.
    Run(fn(&Run<'_>, &mut Vec<(usize, Finding)>)),
}
