//! `replacePrefix`: the start of a path becomes another.

use crate::filter::router::of_rule::OfRule;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::parse::absolute;

pub(super) static PREFIX: Object = object!(
    "replacePrefix",
    Any,
    "The start of a path and what takes its place.",
    [],
    [
        field!(
            "from",
            Pattern("^/[^?#]*$", limits::VALUE_BYTES),
            Optional,
            "The whole segments that are replaced; without it, the prefix that the rule's `path` matched."
        ),
        field!("to", Pattern("^/[^?#]*$", limits::VALUE_BYTES), Required, "The prefix that takes its place."),
        field!(
            "ignoreCase",
            Flag,
            Optional,
            "Whether `from` covers any letter case; without it, as the rule's `path` does."
        ),
    ],
);

/// A start of paths and what takes its place.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    from: Box<[u8]>,
    to: Box<[u8]>,
    /// Whole segments, as in Gateway API's `ReplacePrefixMatch`: neither text ends with a slash. If not,
    /// characters, as in Envoy's `prefix_rewrite`.
    is_whole: bool,
    ignore_case: bool,
}

impl Prefix {
    pub(super) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &PREFIX)?;
        let path = |t| {
            let path = absolute(t)?;
            names::header_value(path).map(|_| path)
        };
        let to = fields.required("to", path)?;
        let ignore_case = fields.optional("ignoreCase", read::flag)?;
        let Some(from) = fields.optional("from", path)? else {
            if ignore_case.is_some() {
                return Err(follows_the_match());
            }
            let start = rule.start()?;
            let is_whole = start.is_none_or(|start| start.is_whole);
            return Ok(Self {
                from: start.map(|start| start.text).unwrap_or_default().into(),
                to: if is_whole { bare(to) } else { to }.as_bytes().into(),
                is_whole,
                ignore_case: start.is_some_and(|start| start.ignore_case),
            });
        };
        Ok(Self {
            from: bare(from).as_bytes().into(),
            to: bare(to).as_bytes().into(),
            is_whole: true,
            ignore_case: ignore_case.unwrap_or_else(|| rule.ignores_case()),
        })
    }

    /// The path with another start; none if it does not start so.
    pub(super) fn replace(&self, path: &[u8]) -> Option<Vec<u8>> {
        let (start, rest) = path.split_at_checked(self.from.len())?;
        let is_same =
            if self.ignore_case { start.eq_ignore_ascii_case(&self.from) } else { *start == *self.from };
        if !is_same || (self.is_whole && !rest.is_empty() && !rest.starts_with(b"/")) {
            return None;
        }
        // From `/api` to `/`: `/api` becomes `/`, and `/api/x` becomes `/x`. Two slashes that meet
        // become one.
        let to =
            if rest.starts_with(b"/") { self.to.strip_suffix(b"/").unwrap_or(&self.to) } else { &self.to };
        let root: &[u8] = if to.is_empty() && rest.is_empty() { b"/" } else { b"" };
        Some([to, rest, root].concat())
    }
}

/// Without the slash at its end, which whole segments do not need.
fn bare(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

fn follows_the_match() -> Invalid {
    Invalid::new(
        Code::Conflict,
        "without \"from\", the prefix is replaced in the letter case that the rule's \"path\" matched",
        "write \"ignoreCase\" there",
    )
    .in_field("ignoreCase")
}
