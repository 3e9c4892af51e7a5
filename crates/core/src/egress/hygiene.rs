//! What leaves the mesh with no request: internal headers.

use crate::edit::{self, Edit};
use crate::invalid::Invalid;
use crate::limits;
use crate::names::NamePattern;
use crate::read::{self, Fields};
use crate::request::Request;
use crate::strip;
use crate::tree::Tree;

/// Removed from every request that leaves, unless the policy keeps them. The last two
/// are another path to some servers than the one that was judged.
const INTERNAL: [&str; 6] = [
    "x-internal-*",
    "x-narrows-*",
    "x-envoy-*",
    "x-forwarded-client-cert",
    "x-original-url",
    "x-rewrite-url",
];

/// `requestHeaders` of a policy.
#[derive(Clone, Debug)]
pub(super) struct Hygiene {
    remove: Vec<NamePattern>,
    keep: Vec<NamePattern>,
}

impl Hygiene {
    pub(super) fn none() -> Self {
        Self { remove: Vec::new(), keep: Vec::new() }
    }

    pub(super) fn internal() -> Self {
        Self { remove: INTERNAL.map(NamePattern::of).into(), keep: Vec::new() }
    }

    pub(super) fn read(tree: &Tree) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["remove", "keep"])?;
        let patterns = |name| {
            let read = |t| read::list(t, limits::STRIP, edit::removable);
            fields.optional(name, read).map(Option::unwrap_or_default)
        };
        let mut hygiene = Self::internal();
        hygiene.remove.append(&mut patterns("remove")?);
        hygiene.keep = patterns("keep")?;
        Ok(hygiene)
    }

    /// Removes what must not leave. What an earlier Narrows filter of this proxy has
    /// written stays: the route table has yet to read it.
    pub(super) fn apply<'a>(&self, request: &Request<'a>, edits: &mut Vec<Edit<'a>>) {
        let written = |name: &[u8]| strip::was_written(request.stripped(), name);
        let covered =
            |patterns: &[NamePattern], name: &[u8]| patterns.iter().any(|pattern| pattern.covers(name));
        edits.extend(edit::removals(request, |name| {
            covered(&self.remove, name) && !covered(&self.keep, name) && !written(name)
        }));
    }
}
