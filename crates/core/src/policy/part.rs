//! A filter's policy as a part of a merged policy.

use super::Policy;
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;

/// A policy that may be a part of a merged one.
pub trait Part: Policy {
    /// How the policy is written as a part: without the fields that all parts share.
    const PART: &'static Object;

    /// Compiles the policy, alone or as a part.
    fn compile_written(written: Written<'_>) -> Result<Self, Invalid>;

    /// Whether requests count that an earlier filter, an earlier part, or Envoy itself has answered.
    fn counts_answered(&self) -> bool {
        false
    }
}

/// A policy as it is written: alone, or as a part of a merged one.
#[derive(Clone, Debug)]
pub struct Written<'t> {
    pub(crate) tree: PolicyValue,
    pub(crate) filter: &'static str,
    pub(crate) object: &'static Object,
    /// Of a part: the merged policy, whose common fields hold for the part too, and its mode.
    pub(crate) whole: Option<(&'t PolicyValue, Mode)>,
}

impl<'t> Written<'t> {
    pub(crate) fn alone<P: Policy>(tree: PolicyValue) -> Self {
        Self { tree, filter: P::FILTER, object: P::LANGUAGE, whole: None }
    }

    pub(crate) fn part<P: Part>(tree: PolicyValue, whole: &'t PolicyValue, mode: Mode) -> Self {
        Self { tree, filter: P::FILTER, object: P::PART, whole: Some((whole, mode)) }
    }
}
