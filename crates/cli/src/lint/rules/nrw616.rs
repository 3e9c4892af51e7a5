//! NRW616: a policy that should stop something and stops nothing.

use crate::code::Code;
use crate::lint::rule::Rule;

/// The filter finds it when it reads its policy: see [`crate::lint::policy`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW616",
        title: "everything passes",
        text: "A policy of egress-policy without \"default\" and rules lets every call leave. With only \"trust\" or
\"labels\" it looks as if it stopped something, but an egress gateway with it is open. Write
\"default\": \"deny\" and rules, or \"default\": \"allow\" if that is what you want.",
    },
    checks: &[],
};
