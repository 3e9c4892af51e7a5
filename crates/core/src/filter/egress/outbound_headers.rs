//! Removes internal headers from the requests that leave the mesh.

use crate::action::edit::{self, Edit};
use crate::action::sanitize;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::names::NamePattern;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::request::Request;

/// Removed from every request that leaves, unless the policy keeps them. To some servers, the last two
/// are another path than the one that was judged.
const INTERNAL: [&str; 6] = [
    "x-internal-*",
    "x-narrows-*",
    "x-envoy-*",
    "x-forwarded-client-cert",
    "x-original-url",
    "x-rewrite-url",
];

/// Headers that Envoy's and Istio's own filters write on a call, whatever the caller sent. They do not
/// show that the caller meant to choose a route.
const PROXYS_OWN: [&str; 4] =
    ["x-envoy-peer-metadata", "x-envoy-peer-metadata-id", "x-envoy-decorator-operation", "x-envoy-internal"];

/// Whether the removal of that header may change which route Envoy takes.
pub(super) fn may_move(name: &[u8]) -> bool {
    !PROXYS_OWN.iter().any(|own| own.as_bytes() == name)
}

/// `requestHeaders` of a policy.
#[derive(Clone, Debug)]
pub(super) struct OutboundHeaders {
    internal: Vec<NamePattern>,
    remove: Vec<NamePattern>,
    keep: Vec<NamePattern>,
}

/// `requestHeaders` of a policy.
pub(super) static OUTBOUND_HEADERS: Object = object!(
    "requestHeaders",
    Any,
    "Headers that leave the mesh with no request.",
    [],
    [
        field!(
            "remove",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::STRIP),
            Optional,
            "More headers to remove; `*` at the end of a name covers a prefix."
        ),
        field!(
            "keep",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::STRIP),
            Optional,
            "Headers to keep all the same."
        ),
    ],
);

impl OutboundHeaders {
    pub(super) fn none() -> Self {
        Self { internal: Vec::new(), remove: Vec::new(), keep: Vec::new() }
    }

    pub(super) fn internal() -> Self {
        Self { internal: INTERNAL.map(NamePattern::of).into(), ..Self::none() }
    }

    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &OUTBOUND_HEADERS)?;
        let patterns = |name| {
            let read = |t| read::list(t, limits::STRIP, NamePattern::removable);
            fields.optional(name, read).map(Option::unwrap_or_default)
        };
        Ok(Self { remove: patterns("remove")?, keep: patterns("keep")?, ..Self::internal() })
    }

    /// Whether a header, or a trailer, of that name must not leave.
    pub(super) fn covers(&self, name: &[u8]) -> bool {
        let covered = |patterns: &[NamePattern]| patterns.iter().any(|pattern| pattern.covers(name));
        !name.starts_with(b":") && (covered(&self.internal) || covered(&self.remove)) && !covered(&self.keep)
    }

    /// Removes what must not leave. An internal header that an earlier Narrows filter of this proxy has written stays,
    /// because the route table has yet to read it, unless the policy names it.
    pub(super) fn apply<'a>(&self, request: &Request<'a>, edits: &mut Vec<Edit<'a>>) {
        let is_named = |name: &[u8]| self.remove.iter().any(|pattern| pattern.covers(name));
        let stays = |name: &[u8]| sanitize::was_written(request.stripped(), name) && !is_named(name);
        edits.extend(edit::removals(request, |name| self.covers(name) && !stays(name)));
    }
}
