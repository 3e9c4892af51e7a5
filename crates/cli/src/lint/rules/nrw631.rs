//! NRW631: a comment that accepts nothing.

use crate::code::Code;
use crate::lint::rule::Rule;

/// Found by [`crate::lint::ignores`].
pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW631",
        title: "a comment that accepts nothing",
        text: "\"# narrows: ignore NRW614 the reason\" accepts a finding of that code in its line or, on a line of its
own, in the next one; \"# narrows: ignore-file NRW614 the reason\" in the whole file. The reason is for
the next reader, so it must be there. When there is nothing left to accept, take the comment away.",
    },
    checks: &[],
};
