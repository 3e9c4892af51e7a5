//! NRW602: a field that no release of Istio has.

use crate::code::Code;
use crate::lint::rule::Rule;

/// Found by [`crate::lint::fields`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW602",
        title: "unknown field of a resource",
        text: "No release of Istio has the field. The API server drops it or refuses the resource.",
    },
    checks: &[],
};
