//! NRW616: a policy that should stop something and stops nothing.

use crate::code::policy;
use crate::lint::rule::Rule;

/// The filter finds it when it reads its policy: see [`crate::lint::policy`].
pub(in crate::lint) static RULE: Rule = Rule { code: policy::EVERYTHING_PASSES, checks: &[] };
