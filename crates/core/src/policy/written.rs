//! A policy as it is written.

use crate::language::describe::Object;
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;

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
    /// A filter's whole policy.
    pub(crate) fn alone(tree: PolicyValue, filter: &'static str, object: &'static Object) -> Self {
        Self { tree, filter, object, whole: None }
    }

    /// The same written as a part of `whole`, with the mode that `whole` has.
    pub(crate) fn of(self, whole: &'t PolicyValue, mode: Mode) -> Self {
        Self { whole: Some((whole, mode)), ..self }
    }
}
